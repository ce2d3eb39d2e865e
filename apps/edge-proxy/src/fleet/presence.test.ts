import assert from 'node:assert/strict'
import { test } from 'node:test'
import { presenceSchema } from '@imapfleet/protocol'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { snapshotOf } from '../edge/snapshot.ts'
import type { RejectedRevision } from '../edge/start.ts'
import type { DesiredState } from './desired-state.ts'
import { sender } from './fleet.test-support.ts'
import { presenceOf } from './presence.ts'

test('a heartbeat has the applied and the rejected configuration and the problems, in lengths that control accepts', async () => {
  const { edge } = await edgeAtWork()
  const facts = {
    ...sender,
    sequence: 3,
    uptimeMs: 90_000.4,
    heartbeatMs: 5000,
    isRegular: true,
    unsaved: undefined,
    refused: [],
  }
  const versions = { global: 1, region: 0, edge: 3 }
  const state = (rejected?: RejectedRevision, replaced: number[] = []) =>
    ({ version: 77, replaced, versions, applied: 4, rejected, revocations: 9 }) as DesiredState
  const before = Date.now()
  const presence = presenceOf(snapshotOf(edge), state(), facts)
  assert.deepEqual(presenceSchema.parse(JSON.parse(JSON.stringify(presence))), presence)
  assert.deepEqual(
    [presence.state, presence.config, presence.revocations],
    ['serving', { applied: 4, versions }, 9],
  )
  assert.deepEqual(presence.desired, { version: 77 })
  const after = presenceOf(snapshotOf(edge), state(undefined, [76, 70]), facts)
  assert.deepEqual(presenceSchema.parse(JSON.parse(JSON.stringify(after))).desired, {
    version: 77,
    replaced: [76, 70],
  })
  const acknowledgement = presenceOf(snapshotOf(edge), state(), { ...facts, isRegular: false })
  assert.deepEqual([acknowledgement.counters, acknowledgement.logins], [undefined, undefined])
  assert.ok(presence.counters && presence.logins)
  assert.deepEqual(Object.keys(acknowledgement.gauges), Object.keys(presence.gauges))
  assert.deepEqual(presence.listeners, [`127.0.0.1:${edge.context.settings.current.listeners['imap']?.port}`])
  assert.ok(presence.at >= before && presence.heartbeatMs === 5000)
  assert.deepEqual([presence.sequence, presence.at - presence.startedAt], [3, 90_000])
  edge.drain()
  const rejected = { revision: 5, reason: 'pool: no' }
  const problems = ['x'.repeat(600)]
  const draining = presenceOf({ ...snapshotOf(edge), problems }, state(rejected), facts)
  assert.deepEqual([draining.state, draining.config], ['draining', { applied: 4, versions, rejected }])
  assert.deepEqual(draining.degraded, ['x'.repeat(500)])
  const unsaved = presenceOf(snapshotOf(edge), state(), { ...facts, unsaved: 'y'.repeat(600) })
  const refused = presenceOf(snapshotOf(edge), state(), { ...facts, refused: ['NATS refuses its reports'] })
  assert.deepEqual(refused.degraded, ['NATS refuses its reports'])
  assert.deepEqual([unsaved.degraded[0], unsaved.unsaved], ['y'.repeat(500), 'y'.repeat(500)])
})

test('a heartbeat has no text that control could not store', async () => {
  const { edge } = await edgeAtWork()
  const text = `${'x'.repeat(498)}\0\u{1f4ee}`
  const facts = { ...sender, sequence: 3, uptimeMs: 1, heartbeatMs: 5000, isRegular: true, refused: [] }
  const rejected = { revision: 5, reason: `${'x'.repeat(4_095)}\0\u{1f4ee}` }
  const state = { version: 1, replaced: [], applied: 4, rejected, revocations: 9 } as unknown as DesiredState
  const sent = presenceOf({ ...snapshotOf(edge), problems: [`x${text}`] }, state, { ...facts, unsaved: text })
  assert.ok(presenceSchema.safeParse(JSON.parse(JSON.stringify(sent))).success)
  assert.deepEqual(sent.degraded, [`${'x'.repeat(498)}\u{1f4ee}`, `${'x'.repeat(499)}\ufffd`])
  assert.equal(sent.config.rejected?.reason, `${'x'.repeat(4_095)}\ufffd`)
})
