/** Every route and every order, for every role, scope and credential. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { orderKinds, type OrderAction, type OrderKind } from '@imapfleet/protocol'
import { routes, type Role, type Scope } from '@imapfleet/api'
import { expected, outcome, routeNames, testApi, type RouteName, type TestApi } from './api.test-support.ts'
import { createToken, revokeToken } from './features/access/service.ts'
import { traces } from './features/traces/table.ts'

/** Routes that show message bodies, which need the scope trace-bodies besides the role. */
const needsBodies: Readonly<Partial<Record<RouteName, true>>> = {
  startTrace: true,
  readTraceLines: true,
  followTrace: true,
}

/** The roles that may give an order. A kind without a row does not compile. */
const orders: { [Kind in OrderKind]: { action: OrderAction<Kind>; roles: readonly Role[] } } = {
  who: { action: { kind: 'who' }, roles: ['operator', 'admin'] },
  'kick-user': { action: { kind: 'kick-user', user: 'ann' }, roles: ['operator', 'admin'] },
  'kick-domain': { action: { kind: 'kick-domain', domain: 'example.org' }, roles: ['operator', 'admin'] },
  'purge-idle': { action: { kind: 'purge-idle' }, roles: ['operator', 'admin'] },
  count: { action: { kind: 'count' }, roles: ['operator', 'admin'] },
  'reset-counters': { action: { kind: 'reset-counters' }, roles: ['operator', 'admin'] },
  newlog: { action: { kind: 'newlog' }, roles: ['operator', 'admin'] },
  version: { action: { kind: 'version' }, roles: ['operator', 'admin'] },
  'route-lookup': { action: { kind: 'route-lookup', user: 'ann' }, roles: ['operator', 'admin'] },
  'pause-upstream': { action: { kind: 'pause-upstream', upstream: 'main' }, roles: ['operator', 'admin'] },
  'resume-upstream': { action: { kind: 'resume-upstream', upstream: 'main' }, roles: ['operator', 'admin'] },
}

const root = { id: randomUUID(), name: 'root', role: 'admin', scopes: [], limits: {} } as const
const roles = ['viewer', 'operator', 'admin'] as const
const scopeSets = [[], ['trace-bodies']] as const

suite('rights', () => {
  let api: TestApi
  before(async () => {
    api = await testApi()
  })
  after(async () => await api?.close())

  const newToken = async (role: Role, scopes: readonly Scope[] = [], seconds?: number) => {
    const input = { name: `${role}-of-the-test`, role, scopes: [...scopes], expiresInSeconds: seconds }
    return await createToken(api.deps, 'root', input)
  }
  const bearer = ({ token }: { token: string }) => ({ authorization: `Bearer ${token}` })
  const fromConsole = { 'x-imapfleet-console': '1' }
  const signIn = ({ token }: { token: string }) =>
    api.ask('signIn', { headers: fromConsole, sample: { body: { token } } })
  const sessionOf = async (token: { token: string }) => {
    const response = await signIn(token)
    assert.equal(response.status, 201)
    const [cookie = ''] = (response.headers.get('set-cookie') ?? '').split(';', 1)
    return { cookie, ...fromConsole }
  }

  test('every role uses the routes that it may use, by token and by session, and no other', async () => {
    for (const role of roles)
      for (const scopes of scopeSets) {
        const token = await newToken(role, scopes)
        for (const headers of [bearer(token), await sessionOf(token)])
          for (const name of routeNames) {
            const may = expected[name].roles
            if (may === 'everybody') continue
            const what = `${name} as ${role} with [${scopes.join()}] by ${Object.keys(headers).join()}`
            const { status, code } = await outcome(await api.ask(name, { headers }))
            if (may.includes(role))
              assert.ok(![400, 401, 403, 500].includes(status), `${what}: ${status} ${code}`)
            else assert.deepEqual([status, code], [403, 'forbidden'], what)
          }
      }
  })

  test('message bodies are for tokens with their scope, also of an admin', async () => {
    const scoped = routeNames.filter((name) => 'scope' in routes[name])
    assert.deepEqual(scoped.sort(), Object.keys(needsBodies).sort())
    const id = randomUUID()
    const from = new Date(api.deps.now())
    await api.deps.db.orm.insert(traces).values({
      id,
      user: 'ann',
      bytesMax: 1024,
      bodies: true,
      createdBy: 'root',
      createdAt: from,
      expiresAt: new Date(from.getTime() + 60_000),
    })
    for (const role of roles)
      for (const scopes of scopeSets) {
        const headers = bearer(await newToken(role, scopes))
        for (const name of Object.keys(needsBodies) as RouteName[]) {
          const sample = name === 'startTrace' ? { body: { user: 'ann', bodies: true } } : { params: { id } }
          const { status, code } = await outcome(await api.ask(name, { headers, sample }))
          const may = role !== 'viewer' && scopes.length > 0
          const what = `${name} as ${role} with [${scopes.join()}]: ${status} ${code}`
          if (may) assert.ok(![400, 401, 403, 500].includes(status), what)
          else assert.deepEqual([status, code], [403, 'forbidden'], what)
        }
      }
  })

  test('without a valid credential no route is used, except to sign in and out', async () => {
    const from = api.deps.now()
    const expired = await newToken('admin', ['trace-bodies'], 60)
    const expiredSession = await sessionOf(expired)
    const revoked = await newToken('admin', ['trace-bodies'])
    const revokedSession = await sessionOf(revoked)
    const signedOut = await sessionOf(await newToken('admin', ['trace-bodies']))
    assert.equal((await api.ask('signOut', { headers: signedOut })).status, 204)
    await revokeToken(api.deps, root, revoked.id)
    api.deps.setNow(from + 60_000)
    const credentials: [string, Record<string, string>, string][] = [
      ['none', {}, 'token_missing'],
      ['an unknown token', bearer({ token: 'imapfleet_unknown' }), 'token_invalid'],
      ['an expired token', bearer(expired), 'token_invalid'],
      ['a revoked token', bearer(revoked), 'token_invalid'],
      ['another scheme', { authorization: `Basic ${revoked.token}` }, 'token_invalid'],
      ['an unknown session', { cookie: 'imapfleet_session=unknown', ...fromConsole }, 'session_over'],
      ['the session of an expired token', expiredSession, 'session_over'],
      ['the session of a revoked token', revokedSession, 'session_over'],
      ['a session that was signed out', signedOut, 'session_over'],
    ]
    for (const name of routeNames) {
      if (expected[name].roles === 'everybody') continue
      for (const [credential, headers, refusal] of credentials) {
        const { status, code } = await outcome(await api.ask(name, { headers }))
        assert.deepEqual([status, code], [401, refusal], `${name} with ${credential}`)
      }
    }
    for (const token of [expired, revoked])
      assert.equal((await outcome(await signIn(token))).code, 'token_invalid')
    api.deps.setNow(from)
  })

  test('a session writes only for pages of the console', async () => {
    const { cookie } = await sessionOf(await newToken('admin'))
    const others = [{ cookie }, { cookie, ...fromConsole, 'sec-fetch-site': 'cross-site' }]
    for (const name of routeNames)
      for (const headers of others) {
        const { status, code } = await outcome(await api.ask(name, { headers }))
        const what = `${name} with ${Object.keys(headers).join()}: ${status} ${code}`
        if (routes[name].method === 'GET') assert.ok(status !== 401 && status !== 403, what)
        else assert.deepEqual([status, code], [403, 'origin_refused'], what)
      }
  })

  test('every role gives the orders that it may give', async () => {
    assert.deepEqual(Object.keys(orders).sort(), Object.keys(orderKinds).sort())
    for (const role of roles)
      for (const scopes of scopeSets) {
        const headers = bearer(await newToken(role, scopes))
        for (const { action, roles: may } of Object.values(orders)) {
          const sample = { body: { target: { kind: 'edge', name: 'eu-1' }, action, timeoutMs: 100 } }
          const { status, code } = await outcome(await api.ask('giveOrder', { headers, sample }))
          const what = `${action.kind} as ${role}: ${status} ${code}`
          if (may.includes(role)) assert.ok(![400, 401, 403, 500].includes(status), what)
          else assert.deepEqual([status, code], [403, 'forbidden'], what)
        }
      }
  })
})
