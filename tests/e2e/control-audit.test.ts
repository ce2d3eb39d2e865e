/** Every route that writes leaves an entry in the audit log, and a refused write leaves none. */
import assert from 'node:assert/strict'
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import {
  routes,
  type AlertSilence,
  type AuditEntry,
  type OrderView,
  type TokenMade,
  type TraceView,
} from '@imapfleet/api'
import { removeTemporaryDirectory, temporaryDirectory } from '@imapfleet/local'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

type WriteName = {
  [Name in keyof typeof routes]: (typeof routes)[Name]['method'] extends 'GET' ? never : Name
}[keyof typeof routes]

interface Write {
  /** Undefined: the route changes nothing. */
  action: string | undefined
  send: () => Promise<{ status: number; body: unknown }>
}

suite('the audit log', () => {
  let plane: Plane
  let directory: string
  before(async () => {
    directory = temporaryDirectory('audit')
    writeFileSync(
      `${directory}/alerts.yaml`,
      'channels: { chat: { kind: chat, url: "http://127.0.0.1:9/" } }',
    )
    writeFileSync(`${directory}/groups.yaml`, 'groups: [{ group: staff, role: viewer }]')
    writeFileSync(`${directory}/secret`, 'a secret')
    const environment = (api: string) => ({
      ALERTS_FILE: `${directory}/alerts.yaml`,
      PUBLIC_URL: api,
      // It is not asked: the person has signed in already.
      OIDC_ISSUER: 'http://127.0.0.1:9',
      OIDC_CLIENT_ID: 'imapfleet',
      OIDC_CLIENT_SECRET_FILE: `${directory}/secret`,
      OIDC_GROUPS_FILE: `${directory}/groups.yaml`,
    })
    plane = await Plane.start({ perEdge: true, environment })
    for (const [name, secret] of Object.entries(people)) {
      const [token] = await plane.sql`
        insert into tokens (id, name, hash, role, scopes, created_by, expires_at, person)
        values (${randomUUID()}, ${name}, ${digest(randomUUID())}, 'viewer', '[]', ${name}, now() + interval '1 hour', ${name})
        returning id`
      await plane.sql`
        insert into sessions (hash, token, created_at, expires_at)
        values (${digest(secret)}, ${String(token?.['id'])}, now(), now() + interval '1 hour')`
    }
    for (const [region, id] of [
      ['eu', 'eu-1'],
      ['us', 'us-1'],
    ] as const)
      (await plane.edge(region, id)).beat()
    await until(
      'both edges',
      async () => ((await plane.api('/v1/edges')).body as { edges: unknown[] }).edges.length === 2,
    )
  })
  after(async () => {
    await plane?.stop()
    await removeTemporaryDirectory(directory)
  })

  const post = (path: string, body: unknown = {}) => plane.api(path, { body })
  const steer = (path: string) => plane.api(path, { method: 'POST' })
  const remove = (path: string) => plane.api(path, { method: 'DELETE' })
  const entries = async () =>
    ((await plane.api('/v1/audit?limit=500')).body as { entries: AuditEntry[] }).entries

  const all = { kind: 'all' }
  const ids = {
    token: '',
    trace: '',
    operation: '',
    cookie: '',
    silence: '',
    code: '',
    personal: '',
    userCode: '',
    verifier: 'v'.repeat(43),
  }
  const session = async (method: string, body?: unknown) => {
    const headers = { 'content-type': 'application/json', 'x-imapfleet-console': '1', cookie: ids.cookie }
    const answer = await fetch(`${plane.control.api}/v1/session`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    })
    ids.cookie = answer.headers.get('set-cookie')?.split(';')[0] ?? ''
    return { status: answer.status, body: await answer.text() }
  }
  /** The secrets of their sessions. The first one has the name of the token of this test, so that all entries have it. */
  const people = {
    tests: randomBytes(32).toString('base64url'),
    leaver: randomBytes(32).toString('base64url'),
  }
  const digest = (text: string) => createHash('sha256').update(text).digest('hex')
  const asPerson = async (path: string, body?: object, headers: Record<string, string> = {}) => {
    const answer = await fetch(plane.control.api + path, {
      method: body ? 'POST' : 'DELETE',
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...{ 'x-imapfleet-console': '1', cookie: `imapfleet_session=${people.tests}`, ...headers },
      },
      ...(body && { body: JSON.stringify(body) }),
    })
    const text = await answer.text()
    return {
      status: answer.status,
      body: (text === '' ? null : JSON.parse(text)) as Record<string, string> | null,
    }
  }
  const change = (usesMax: number, more: object = {}) =>
    post('/v1/config/revisions', { layer: { kind: 'global' }, set: { 'pool.usesMax': usesMax }, ...more })

  /** In this order. A route without a row does not compile. */
  const writes: Record<WriteName, Write> = {
    createToken: {
      action: 'token.create',
      send: async () => {
        const made = await post('/v1/tokens', { name: 'dora', role: 'viewer' })
        ids.token = (made.body as TokenMade).id
        return made
      },
    },
    revokeToken: { action: 'token.revoke', send: () => remove(`/v1/tokens/${ids.token}`) },
    signIn: { action: 'session.begin', send: () => session('POST', { token: plane.token }) },
    signOut: { action: 'session.end', send: () => session('DELETE') },
    endPerson: { action: 'person.end', send: () => remove('/v1/people/leaver') },
    allowLogin: {
      action: 'session.allow',
      send: async () => {
        const challenge = createHash('sha256').update(ids.verifier).digest('base64url')
        const allowed = await asPerson('/v1/sign-in/cli', { challenge })
        ids.code = allowed.body?.['code'] ?? ''
        return allowed
      },
    },
    redeemLogin: {
      action: 'session.begin',
      send: async () => {
        const redeemed = await asPerson('/v1/sign-in/token', { code: ids.code, verifier: ids.verifier })
        ids.personal = redeemed.body?.['token'] ?? ''
        return redeemed
      },
    },
    endOwnToken: {
      action: 'session.end',
      send: () => asPerson('/v1/sign-in/token', undefined, { authorization: `Bearer ${ids.personal}` }),
    },
    beginDeviceLogin: {
      action: undefined,
      send: async () => {
        const begun = await plane.api('/v1/sign-in/device', { method: 'POST' })
        ids.userCode = (begun.body as { userCode: string }).userCode
        return begun
      },
    },
    allowDeviceLogin: {
      action: 'session.allow',
      send: () => asPerson('/v1/sign-in/device/allow', { userCode: ids.userCode }),
    },
    enrollEdge: { action: 'edge.enroll', send: () => post('/v1/edges/old-1/enrolments', { region: 'eu' }) },
    revokeEnrolments: { action: 'edge.revoke', send: () => remove('/v1/edges/old-1/enrolments') },
    acknowledgeAlert: {
      action: 'alert.acknowledge',
      send: async () => {
        const [alert] = await plane.sql`
          insert into alerts (rule, subject, text, state, since, opened_at)
          values ('edge-silent', 'none', 'x', 'open', now(), now()) returning id::int`
        return await post(`/v1/alerts/${String(alert?.['id'])}/acknowledge`, { reason: 'known', seconds: 60 })
      },
    },
    silenceAlerts: {
      action: 'alerts.silence',
      send: async () => {
        const made = await post('/v1/alert-silences', { region: 'eu', reason: 'maintenance', seconds: 60 })
        ids.silence = String((made.body as AlertSilence).id)
        return made
      },
    },
    endAlertSilence: { action: 'alerts.unsilence', send: () => remove(`/v1/alert-silences/${ids.silence}`) },
    changeAlertRule: {
      action: 'alerts.rule',
      send: () => post('/v1/alert-rules/clock-skew', { threshold: 20 }),
    },
    resetAlertRule: { action: 'alerts.rule', send: () => remove('/v1/alert-rules/clock-skew') },
    testAlertChannel: { action: 'alerts.test', send: () => steer('/v1/alert-channels/chat/test') },
    drainEdges: { action: 'edges.drain', send: () => post('/v1/edges/drain', { target: all }) },
    adoptEdges: {
      action: 'edges.adopt',
      send: () => plane.api('/v1/edges/adopt', { method: 'POST' }),
    },
    resumeEdges: { action: 'edges.resume', send: () => post('/v1/edges/resume', { target: all }) },
    parseLayerText: { action: undefined, send: () => post('/v1/config/parse', { text: '' }) },
    importConf: { action: undefined, send: () => post('/v1/config/import', { text: 'listen_port 143\n' }) },
    writeRevision: { action: 'config.revise', send: () => change(7) },
    changeLayers: {
      action: 'config.revise',
      send: () =>
        post('/v1/config/changes', { changes: [{ layer: { kind: 'global' }, set: { 'pool.usesMax': 6 } }] }),
    },
    restoreRevision: {
      action: 'config.revise',
      send: async () => {
        await change(8)
        return await post('/v1/config/revisions/1/restore')
      },
    },
    undoRevision: {
      action: 'config.revise',
      send: async () => {
        const { revision } = (await change(8)).body as { revision: { revision: number } }
        return await post(`/v1/config/revisions/${revision.revision}/undo`)
      },
    },
    steerRollout: {
      action: 'rollout.pause',
      send: async () => {
        const rollout = { canaryEdges: ['eu-1'], soakSeconds: 3_600 }
        const revision = (await change(9, { rollout })).body as { revision: { revision: number } }
        return await steer(`/v1/rollouts/${revision.revision?.revision}/pause`)
      },
    },
    giveOrder: {
      action: 'order.give',
      send: () => post('/v1/orders', { target: all, action: { kind: 'reset-counters' }, timeoutMs: 100 }),
    },
    previewOperation: {
      action: undefined,
      send: () => post('/v1/operations/preview', { target: all, operation: { kind: 'drain' } }),
    },
    steerOperation: {
      action: 'operation.abort',
      send: async () => {
        const order = (
          await post('/v1/orders', {
            target: all,
            action: { kind: 'kick-domain', domain: 'example.org' },
            timeoutMs: 100,
            pace: { kind: 'staged', soakSeconds: 3_600 },
          })
        ).body as OrderView
        return await steer(`/v1/operations/${order.operation?.id}/abort`)
      },
    },
    addRevocation: {
      action: 'revoke.user',
      send: () => post('/v1/revocations', { kind: 'user', subject: 'ann' }),
    },
    startTrace: {
      action: 'trace.start',
      send: async () => {
        const made = await post('/v1/traces', { user: 'bob' })
        ids.trace = (made.body as TraceView).id
        return made
      },
    },
    endTrace: { action: 'trace.end', send: () => remove(`/v1/traces/${ids.trace}`) },
    forgetEdge: {
      action: 'edge.forget',
      send: async () => {
        // It says that it beats often, and then is silent.
        ;(await plane.edge('us', 'us-2')).beat({ heartbeatMs: 100 })
        await until('its silence', async () => {
          const { body } = await plane.api('/v1/edges/us-2')
          return (body as { state?: string }).state === 'silent'
        })
        return await remove('/v1/edges/us-2')
      },
    },
  }

  test('every write has an entry with its actor, and no secret', async () => {
    for (const [name, { action, send }] of Object.entries(writes)) {
      const known = (await entries()).length
      const { status, body } = await send()
      assert.ok(status < 300, `${name}: ${status} ${JSON.stringify(body)}`)
      const added = (await entries()).slice(0, -known || undefined)
      if (action === undefined) assert.deepEqual(added, [], name)
      else {
        const entry = added.find((each) => each.action === action)
        assert.equal(entry?.actor, 'tests', `${name}: ${JSON.stringify(added)}`)
      }
    }
    const log = JSON.stringify(await entries())
    assert.ok(!log.includes(plane.token) && !/imapfleet_|NKEY|BEGIN/.test(log))
  })

  test('an order that only reads has none, and is in the list of orders', async () => {
    const known = await entries()
    const reads = [
      { kind: 'who' },
      { kind: 'version' },
      { kind: 'count' },
      { kind: 'route-lookup', user: 'ann' },
    ]
    for (const action of reads) {
      const { status } = await post('/v1/orders', { target: all, action, timeoutMs: 100 })
      assert.equal(status, 200, action.kind)
    }
    assert.deepEqual(await entries(), known)
    const { orders } = (await plane.api('/v1/orders')).body as { orders: { action: { kind: string } }[] }
    assert.deepEqual(
      orders.slice(0, reads.length).map(({ action }) => action.kind),
      reads.map(({ kind }) => kind).toReversed(),
    )
  })

  test('a refused write has none', async () => {
    const viewer = await plane.control.createToken('refused', 'viewer')
    const known = await entries()
    for (const [name, route] of Object.entries(routes)) {
      // What viewers write concerns their own sign-ins only.
      if (route.method === 'GET' || route.role === 'none' || route.role === 'viewer') continue
      const path = route.path.replaceAll(/\{\w+\}/g, 'eu-1')
      const { status } = await plane.api(path, { method: route.method, body: {}, token: viewer })
      assert.equal(status, 403, name)
    }
    assert.deepEqual(await entries(), known)
  })
})
