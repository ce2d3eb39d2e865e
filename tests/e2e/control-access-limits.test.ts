/**
 * Tokens that are limited to a region and to a domain, on a fleet with two regions and users of two domains. Every route of the
 * API is called, and every order, stream and metric that they may use.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import {
  routes,
  type OrderView,
  type ProblemDetails,
  type RevocationStatus,
  type TokenMade,
  type TraceView,
} from '@imapfleet/api'
import postgres from 'postgres'
import type { WireClient } from '../conformance/wire.ts'
import { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

const ann = { user: 'ann@own.example', password: 'of-ann' }
const bob = { user: 'bob@foreign.example', password: 'of-bob' }
/** A value that only the layer of us has. */
const lifetimeOfUs = 76_543_210
/** Whatever the answers to the token of the region eu must not contain. */
const outsideRegion = /us-1|"us"|\/us\b|farland|76543210/
/** The same for the token of the domain own.example. */
const outsideDomain = /foreign/

type Name = keyof typeof routes
type Wish = { path?: string; body?: object }

suite('limited tokens on a fleet', () => {
  let fleet: TestFleet
  let sql: postgres.Sql
  const tokens = { region: '', domain: '' }
  /** Made by an admin, outside the limits of one token or both. */
  const made = { order: '', trace: '', revocation: 0, revision: 0, ownRevision: 0, operation: '' }

  before(async () => {
    fleet = await TestFleet.start([ann, bob])
    sql = postgres(fleet.stack.postgres.url, { max: 1, onnotice: () => {} })
    const create = async (...args: string[]) => {
      const said = await fleet.cli(
        'tokens',
        'create',
        ...args,
        '--role',
        'operator',
        '--scope',
        'trace-bodies',
      )
      assert.equal(said.status, 0, said.stderr)
      return said.stdout.trim()
    }
    tokens.region = await create('team-eu', '--region', 'eu')
    tokens.domain = await create('shop', '--domain', 'own.example')
    await fillByAdmin()
  })
  after(async () => {
    await sql?.end({ timeout: 1 })
    await fleet?.stop()
  })

  const post = (path: string, body: object, token = fleet.stack.token) =>
    fleet.api(path, { method: 'POST', body, token })
  const opened = async (at: TestFleet['eu'], { user, password }: typeof ann): Promise<WireClient> => {
    const client = await fleet.client(at)
    assert.equal((await client.command(`LOGIN ${user} ${password}`)).status, 'OK')
    return client
  }
  const isOpen = async (client: WireClient) => (await client.command('NOOP')).status === 'OK'
  const isClosed = async (client: WireClient) => await client.rest().then(() => true)
  const connectionsOf = ({ edges }: OrderView<'who'>) =>
    edges.flatMap(({ id, result }) => (result ?? []).map(({ user }) => `${id} ${user}`)).toSorted()
  const whoOf = async (token: string, action: object = { kind: 'who' }) =>
    await post('/v1/orders', { action, target: { kind: 'all' } }, token)

  async function fillByAdmin(): Promise<void> {
    await sql`
      insert into alerts (id, rule, subject, region, edge, text, state, since, opened_at)
      values (9102, 'edge-problems', 'us-1', 'us', 'us-1', 'farland', 'open', now(), now())`
    const order = await post('/v1/orders', {
      ...{ target: { kind: 'region', name: 'us' }, action: { kind: 'who', user: bob.user } },
    })
    made.order = (order.body as OrderView).id
    const trace = await post('/v1/traces', { user: bob.user, region: 'us', seconds: 3_600 })
    made.trace = (trace.body as TraceView).id
    const revocation = await post('/v1/revocations', { kind: 'user', subject: bob.user, region: 'us' })
    made.revocation = (revocation.body as RevocationStatus).revocation.sequence
    const change = async (region: string, more: object) => {
      const layer = { kind: 'region', name: region }
      const body = { layer, set: { 'pool.usesMax': 77 }, ...more }
      const written = await post('/v1/config/revisions', body)
      assert.equal(written.status, 201, JSON.stringify(written.body))
      return (written.body as { revision: { revision: number } }).revision.revision
    }
    made.ownRevision = await change('eu', { note: 'of eu' })
    await change('us', { set: { 'pool.lifetimeMaxMs': lifetimeOfUs } })
    made.revision = await change('us', { note: 'farland', rollout: { soakSeconds: 3_600 } })
    const pace = { kind: 'staged', regions: ['us'], soakSeconds: 3_600 }
    const domain = await post('/v1/revocations', { kind: 'domain', subject: 'foreign.example', pace })
    made.operation = (domain.body as RevocationStatus).operation?.id ?? ''
    assert.notEqual(made.operation, '')
    await until('lines of the trace', async () => {
      const client = await opened(fleet.us, bob)
      await client.command('SELECT foreign')
      await client.command('LOGOUT')
      const { text } = await ask('readTraceLines', fleet.stack.token)
      return outsideRegion.test(text) && outsideDomain.test(text)
    })
  }

  /** What a limited token asks of each route. A route without a row does not compile. */
  const wishes: Record<Name, Wish> = {
    createToken: { body: { name: 'x', role: 'viewer' } },
    listTokens: {},
    revokeToken: { path: '/v1/tokens/00000000-0000-4000-8000-000000000000' },
    endPerson: { path: '/v1/people/ann@foreign.example' },
    listAudit: {},
    listAlerts: {},
    readAlert: { path: '/v1/alerts/9102' },
    acknowledgeAlert: { path: '/v1/alerts/9102/acknowledge', body: { reason: 'known', seconds: 60 } },
    listAlertSilences: {},
    silenceAlerts: { body: { region: 'us', reason: 'maintenance', seconds: 60 } },
    endAlertSilence: { path: '/v1/alert-silences/1' },
    listAlertRules: {},
    changeAlertRule: { path: '/v1/alert-rules/drift', body: { enabled: false } },
    resetAlertRule: { path: '/v1/alert-rules/drift' },
    listAlertChannels: {},
    testAlertChannel: { path: '/v1/alert-channels/hook/test' },
    listEdges: {},
    readEdge: { path: '/v1/edges/us-1' },
    forgetEdge: { path: '/v1/edges/us-1' },
    drainEdges: { body: { target: { kind: 'edge', name: 'us-1' } } },
    adoptEdges: {},
    resumeEdges: { body: { target: { kind: 'region', name: 'us' } } },
    enrollEdge: { path: '/v1/edges/us-1/enrolments', body: { region: 'us' } },
    listEnrolments: {},
    revokeEnrolments: { path: '/v1/edges/us-1/enrolments' },
    readConfig: {},
    listConfigKeys: {},
    importConf: { body: { text: 'listen_port 143\n' } },
    parseLayerText: { body: { text: 'pool: { usesMax: 5 }' } },
    resolveConfig: { path: '/v1/config/resolved?edge=us-1' },
    writeRevision: { body: { layer: { kind: 'region', name: 'us' }, set: { 'pool.usesMax': 1 } } },
    changeLayers: {
      body: {
        changes: [
          { layer: { kind: 'region', name: 'eu' }, set: { 'pool.usesMax': 1 } },
          { layer: { kind: 'region', name: 'us' }, set: { 'pool.usesMax': 1 } },
        ],
      },
    },
    listRevisions: {},
    readRevision: { path: '/v1/config/revisions/REVISION' },
    restoreRevision: { path: '/v1/config/revisions/REVISION/restore', body: {} },
    undoRevision: { path: '/v1/config/revisions/REVISION/undo', body: {} },
    readHistory: { path: '/v1/stats/history?metrics=sessions_total&from=-1h&step=1h&groupBy=edge' },
    readFleetMetrics: {},
    followFleet: {},
    giveOrder: { body: { target: { kind: 'region', name: 'us' }, action: { kind: 'who', user: bob.user } } },
    listOrders: {},
    readOrder: { path: '/v1/orders/ORDER' },
    previewOperation: {
      body: {
        target: { kind: 'edge', name: 'us-1' },
        operation: { kind: 'revocation', of: 'user', subject: bob.user },
      },
    },
    listOperations: {},
    readOperation: { path: '/v1/operations/OPERATION' },
    steerOperation: { path: '/v1/operations/OPERATION/abort' },
    addRevocation: { body: { kind: 'user', subject: bob.user, region: 'us' } },
    listRevocations: {},
    readRevocation: { path: '/v1/revocations/REVOCATION' },
    listRollouts: {},
    readRollout: { path: '/v1/rollouts/REVISION' },
    readRolloutHealth: { path: '/v1/rollouts/REVISION/health' },
    steerRollout: { path: '/v1/rollouts/REVISION/abort' },
    readSignInWays: {},
    allowLogin: { body: { challenge: 'c'.repeat(43) } },
    beginDeviceLogin: {},
    allowDeviceLogin: { body: { userCode: 'BDFH-KMPR' } },
    redeemLogin: { body: { deviceCode: 'd'.repeat(43) } },
    endOwnToken: {},
    signIn: { body: { token: 'imapfleet_unknown' } },
    signOut: {},
    readSession: {},
    startTrace: { body: { user: bob.user, region: 'us' } },
    listTraces: {},
    readTrace: { path: '/v1/traces/TRACE' },
    endTrace: { path: '/v1/traces/TRACE' },
    readTraceLines: { path: '/v1/traces/TRACE/lines' },
    followTrace: { path: '/v1/traces/TRACE/live' },
  }

  /** The status and all of the answer; of a stream what comes within some ticks. */
  async function ask(name: Name, token: string): Promise<{ status: number; text: string }> {
    const { path = routes[name].path, body } = wishes[name]
    const filled = path
      .replace('REVISION', String(made.revision))
      .replace('REVOCATION', String(made.revocation))
      .replace('ORDER', made.order)
      .replace('TRACE', made.trace)
      .replace('OPERATION', made.operation)
    const response = await fetch(`${fleet.stack.control.api}${filled}`, {
      method: routes[name].method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true)
      return { status: response.status, text: await response.text() }
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
    let text = ''
    while ((text.match(/^event: /gm) ?? []).length < 3) text += (await reader.read()).value ?? ''
    await reader.cancel()
    return { status: response.status, text }
  }

  /** Refused to the token of a program, whatever its limits. */
  const ofPeople: Name[] = ['allowLogin', 'allowDeviceLogin', 'endOwnToken']

  /** Their answers name no edge, region or user: rules of the whole fleet, and figures of a rollout. */
  const nameless: Record<'region' | 'domain', Name[]> = {
    region: ['listAlertRules', 'readRolloutHealth'],
    domain: [],
  }

  /** What a token may ask for at all is in the contract. Everything that is hidden is refused, and lists leave it out. */
  async function tryEveryRoute(token: string, kind: 'region' | 'domain', outside: RegExp): Promise<void> {
    const empty: Name[] = []
    for (const name of Object.keys(wishes) as Name[]) {
      const { limits, role } = routes[name]
      if (role === 'none') continue
      const { status, text } = await ask(name, token)
      const what = `${name}: ${status} ${text.slice(0, 800)}`
      // The refusal names what was asked for.
      const asked = [made.trace, 'us-1', 'the region us', 'bob@foreign.example', 'us is outside', 'region/us']
      const shown = asked.reduce((rest, word) => (status >= 400 ? rest.replaceAll(word, '') : rest), text)
      assert.doesNotMatch(shown, outside, what)
      const { path, body } = wishes[name]
      const isList = routes[name].method === 'GET' && path === undefined && body === undefined
      if (role === 'admin') assert.equal(status, 403, what)
      else if (limits === 'none') assert.equal(status, ofPeople.includes(name) ? 409 : 200, what)
      else if (limits !== 'both' && limits !== kind) assert.equal(status, 403, what)
      else if (isList) assert.equal(status, 200, what)
      else if (name !== 'readHistory') assert.ok([403, 404].includes(status), what)
      if (routes[name].method !== 'GET' || (limits !== 'both' && limits !== kind)) continue
      const whole = await ask(name, fleet.stack.token)
      assert.equal(whole.status, 200, `${name} of an admin`)
      if (!outside.test(whole.text)) empty.push(name)
    }
    assert.deepEqual(empty, nameless[kind], 'an admin sees nothing that could be hidden')
  }

  test('the token of a region sees and touches nothing of another region, with any route', async () => {
    await tryEveryRoute(tokens.region, 'region', outsideRegion)
    for (const name of [
      'listEdges',
      'readFleetMetrics',
      'followFleet',
      'readConfig',
      'listRevisions',
    ] as const)
      assert.match((await ask(name, tokens.region)).text, /eu/, name)
  })

  test('the token of a domain sees and touches nothing of another domain, with any route', async () => {
    await tryEveryRoute(tokens.domain, 'domain', outsideDomain)
  })

  test('nothing of it was changed', async () => {
    const [edge] = await sql`select drain, forgotten_at from edges where id = 'us-1'`
    assert.deepEqual([edge?.['drain'], edge?.['forgotten_at']], [false, null])
    assert.equal((await sql`select from rollouts where state = 'running'`).length, 1)
    assert.equal((await sql`select from operations where state = 'aborted'`).length, 0)
    assert.equal((await sql`select from traces where ended_at is not null`).length, 0)
    const entries = await sql`select action from audit where actor in ('team-eu', 'shop')`
    assert.deepEqual([...entries], [])
  })

  test('an order of a region reaches its edges only, and shows their users only', async () => {
    const clients = [await opened(fleet.eu, bob), await opened(fleet.us, bob), await opened(fleet.us, ann)]
    const [euBob, usBob] = clients
    const shown = await whoOf(tokens.region)
    assert.deepEqual(connectionsOf(shown.body as OrderView<'who'>), ['eu-1 bob@foreign.example'])
    const kicked = await whoOf(tokens.region, { kind: 'kick-user', user: bob.user })
    assert.deepEqual(
      (kicked.body as OrderView<'kick-user'>).edges.map(({ id, result }) => [id, result?.sessions]),
      [['eu-1', 1]],
    )
    assert.ok(await isClosed(euBob!))
    assert.ok(await isOpen(usBob!))
    for (const client of clients.slice(1)) await client.command('LOGOUT')
  })

  test('an order of a domain reaches its users only, on all edges', async () => {
    const annAt = { eu: await opened(fleet.eu, ann), us: await opened(fleet.us, ann) }
    const bobAt = { eu: await opened(fleet.eu, bob), us: await opened(fleet.us, bob) }
    const shown = await whoOf(tokens.domain, { kind: 'who', user: ann.user })
    assert.deepEqual(connectionsOf(shown.body as OrderView<'who'>), [
      'eu-1 ann@own.example',
      'us-1 ann@own.example',
    ])
    for (const action of [{ kind: 'who' }, { kind: 'who', user: bob.user }, { kind: 'purge-idle' }]) {
      const { status, body } = await whoOf(tokens.domain, action)
      assert.deepEqual([status, (body as ProblemDetails).code], [403, 'outside_limits'])
    }
    // Not in stages, although the operation of the admin is running.
    const kicked = await whoOf(tokens.domain, { kind: 'kick-domain', domain: 'own.example' })
    const view = kicked.body as OrderView<'kick-domain'>
    assert.deepEqual(
      view.edges.map(({ id, result }) => [id, result?.sessions]),
      [
        ['eu-1', 1],
        ['us-1', 1],
      ],
    )
    assert.equal(view.operation, undefined)
    assert.ok((await isClosed(annAt.eu)) && (await isClosed(annAt.us)))
    assert.ok((await isOpen(bobAt.eu)) && (await isOpen(bobAt.us)))
    // The same id is the same order only for those who see it.
    const again = {
      id: view.id,
      action: { kind: 'kick-domain', domain: 'own.example' },
      target: { kind: 'all' },
    }
    const other = await post(
      '/v1/orders',
      { ...again, target: { kind: 'region', name: 'eu' } },
      tokens.region,
    )
    assert.deepEqual([other.status, (other.body as ProblemDetails).code], [409, 'order_conflict'])
    for (const client of Object.values(bobAt)) await client.command('LOGOUT')
  })

  test('a trace of a region has lines of its edges only, and one of a domain those of its users', async () => {
    const trace = await post('/v1/traces', { user: ann.user }, tokens.region)
    assert.deepEqual([trace.status, (trace.body as TraceView).region], [201, 'eu'])
    const { id } = trace.body as TraceView
    const linesOf = async (its: string, token: string) => {
      const headers = { authorization: `Bearer ${token}` }
      return await (await fetch(`${fleet.stack.control.api}/v1/traces/${its}/lines`, { headers })).text()
    }
    const selectsAt = (lines: string) =>
      lines
        .split('\n')
        .filter((line) => line.includes('SELECT'))
        .map((line) => (JSON.parse(line) as { edge: string }).edge)
    const whole = await post('/v1/traces', { user: ann.user }, tokens.domain)
    const { id: wholeId } = whole.body as TraceView
    await until('the lines of both edges', async () => {
      await fleet.session(fleet.us, ann)
      await fleet.session(fleet.eu, ann)
      const all = selectsAt(await linesOf(wholeId, tokens.domain))
      return all.includes('us-1') && all.includes('eu-1')
    })
    const ofRegion = await until('the lines of eu', async () => {
      const lines = await linesOf(id, tokens.region)
      return selectsAt(lines).includes('eu-1') && lines
    })
    assert.doesNotMatch(ofRegion, outsideRegion)
    for (const [its, token] of [
      [wholeId, tokens.region],
      [made.trace, tokens.region],
      [made.trace, tokens.domain],
    ] as const)
      assert.match(await linesOf(its, token), /"code":"trace_unknown"/)
    // The trace of the region is of a user of the domain.
    assert.match(await linesOf(id, tokens.domain), /"edge":"eu-1"/)
    for (const each of [id, wholeId]) await fleet.api(`/v1/traces/${each}`, { method: 'DELETE' })
  })

  test('a revocation of a region closes connections on its edges only', async () => {
    await fleet.warm(bob)
    const idle = async () =>
      connectionsOf(
        (await whoOf(fleet.stack.token, { kind: 'who', user: bob.user })).body as OrderView<'who'>,
      )
    assert.deepEqual(await idle(), ['eu-1 bob@foreign.example', 'us-1 bob@foreign.example'])
    const answer = await post('/v1/revocations', { kind: 'user', subject: bob.user }, tokens.region)
    const { revocation, edges } = answer.body as RevocationStatus
    assert.deepEqual([revocation.region, edges.map(({ id }) => id)], ['eu', ['eu-1']])
    await until('the revocation', async () => !(await idle()).includes('eu-1 bob@foreign.example'))
    assert.deepEqual(await idle(), ['us-1 bob@foreign.example'])
  })

  test('a stream ends when the limits of its token change', async () => {
    const answer = await post('/v1/tokens', { name: 'narrowed', role: 'viewer' })
    const { token, id } = answer.body as TokenMade
    const response = await fetch(`${fleet.stack.control.api}/v1/live`, {
      headers: { authorization: `Bearer ${token}` },
    })
    const text = { all: '' }
    const ended = (async () => {
      for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) text.all += chunk
    })()
    await until('the first event', () => text.all.includes('us-1'))
    await sql`update tokens set limits = '{"regions":["eu"]}' where id = ${id}`
    await ended
    assert.match(text.all, /event: closed\ndata: .*"code":"outside_limits"/)
  })
})
