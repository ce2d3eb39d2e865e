/** What tokens with limits may change: orders of a domain, changes of all edges, and rollouts that are in the way. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { orderKinds, type OrderAction, type OrderKind } from '@imapfleet/protocol'
import type { RouteName, ValidRequest } from './api.test-support.ts'
import { apiOfTenants, orderWith, problemCodeIn } from './limits.test-support.ts'

/** Orders that a token with the limit of a domain may give. A kind without a row does not compile. */
const ofOwnDomain: { [Kind in OrderKind]: { refused: OrderAction<Kind>[]; given: OrderAction<Kind>[] } } = {
  who: {
    refused: [{ kind: 'who' }, { kind: 'who', user: 'bob@foreign.example' }],
    given: [{ kind: 'who', user: 'ann@own.example' }],
  },
  'kick-user': {
    refused: [{ kind: 'kick-user', user: 'own.example' }],
    given: [{ kind: 'kick-user', user: 'ANN@OWN.EXAMPLE' }],
  },
  'kick-domain': {
    refused: [
      { kind: 'kick-domain', domain: 'foreign.example' },
      { kind: 'kick-domain', domain: 'example' },
    ],
    given: [{ kind: 'kick-domain', domain: 'Own.example' }],
  },
  'purge-idle': {
    refused: [{ kind: 'purge-idle' }],
    given: [{ kind: 'purge-idle', user: 'ann@own.example' }],
  },
  count: {
    refused: [
      { kind: 'count' },
      { kind: 'count', upstream: 'main' },
      { kind: 'count', domain: 'foreign.example' },
      { kind: 'count', user: 'bob@foreign.example', domain: 'own.example' },
    ],
    given: [{ kind: 'count', domain: 'own.example', upstream: 'main' }],
  },
  'reset-counters': { refused: [{ kind: 'reset-counters' }], given: [] },
  newlog: { refused: [{ kind: 'newlog' }], given: [] },
  version: { refused: [{ kind: 'version' }], given: [] },
  'route-lookup': {
    refused: [{ kind: 'route-lookup', user: 'bob@foreign.example' }],
    given: [{ kind: 'route-lookup', user: 'ann@own.example' }],
  },
  'pause-upstream': { refused: [{ kind: 'pause-upstream', upstream: 'main' }], given: [] },
  'resume-upstream': { refused: [{ kind: 'resume-upstream', upstream: 'main' }], given: [] },
}

suite('limits of changes', () => {
  const { headersOf, ask } = apiOfTenants()

  test('a token with the limit of a domain gives only orders about its users', async () => {
    const headers = await headersOf({ domains: ['own.example'] })
    assert.deepEqual(Object.keys(ofOwnDomain).sort(), Object.keys(orderKinds).sort())
    for (const { refused, given } of Object.values(ofOwnDomain)) {
      for (const action of refused) {
        const { status, text } = await ask('giveOrder', headers, orderWith(action))
        assert.deepEqual([status, problemCodeIn(text)], [403, 'outside_limits'], JSON.stringify(action))
      }
      for (const action of given) {
        const { status, text } = await ask('giveOrder', headers, orderWith(action))
        assert.deepEqual([status, problemCodeIn(text)], [503, 'bus_unavailable'], JSON.stringify(action))
      }
    }
  })

  test('all edges are those of its region for a token with one region, and must be named with several', async () => {
    const all = { kind: 'all' }
    const one = await headersOf({ regions: ['eu'] })
    const drained = await ask('drainEdges', one, { body: { target: all } })
    assert.deepEqual(
      (JSON.parse(drained.text) as { edges: { id: string }[] }).edges.map((edge) => edge.id),
      ['eu-1'],
    )
    const made = await ask('addRevocation', one, { body: { kind: 'domain', subject: 'x.example' } })
    assert.equal((JSON.parse(made.text) as { revocation: { region: string } }).revocation.region, 'eu')
    const several = await headersOf({ regions: ['eu', 'us'] })
    const requests: [RouteName, ValidRequest][] = [
      ['drainEdges', { body: { target: all } }],
      ['resumeEdges', { body: { target: all } }],
      ['giveOrder', orderWith({ kind: 'version' }, all)],
      ['previewOperation', { body: { target: all, operation: { kind: 'drain' } } }],
      ['addRevocation', { body: { kind: 'user', subject: 'ann' } }],
      ['startTrace', { body: { user: 'ann@own.example', seconds: 60, bytesMax: 1024 } }],
    ]
    for (const [name, sample] of requests) {
      const { status, text } = await ask(name, several, sample)
      assert.deepEqual([status, problemCodeIn(text)], [403, 'outside_limits'], name)
      assert.match(text, /limited to regions eu and us, and this concerns all regions: name one/)
    }
  })

  test('a rollout of another region is not named, although it is in the way', async () => {
    const headers = await headersOf({ regions: ['eu'] })
    const rollout = { soakSeconds: 1 }
    const body = { layer: { kind: 'region', name: 'eu' }, set: { 'pool.usesMax': 9 }, rollout }
    const { status, text } = await ask('writeRevision', headers, { body })
    assert.deepEqual([status, problemCodeIn(text)], [409, 'rollout_active'])
    assert.doesNotMatch(text, /farland|revision 6|\/6\//)
  })
})
