/** Sign-ins through a provider on loopback, with the whole app and a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import { createApp } from '../../app.ts'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import {
  createToken,
  expiringTokens,
  forgetOldAccess,
  listTokens,
  sessionSeconds,
} from '../access/service.ts'
import { listAudit } from '../audit/service.ts'
import type { Grant } from './grants.ts'
import { LoopbackProvider, signedJwt } from './provider.test-support.ts'
import { Provider } from './provider.ts'

const publicUrl = 'https://control.example'
const grants: Grant[] = [
  { group: 'admins', role: 'admin', scopes: ['trace-bodies'], limits: {} },
  { group: 'team-eu', role: 'operator', scopes: [], limits: { regions: ['eu'] } },
  { group: 'staff', role: 'viewer', scopes: [], limits: {} },
]

suite('signing in as a person', () => {
  const idp = new LoopbackProvider()
  let deps: TestDeps
  let app: ReturnType<typeof createApp>
  const stopping = new AbortController()
  before(async () => {
    await idp.start()
    deps = await testDeps()
    deps.provider = new Provider(idp.options({ grants }), deps.log, deps.now)
    app = createApp(deps, { stopping: stopping.signal, trustedProxies: [], consoleDirectory: '' })
  })
  after(async () => {
    stopping.abort()
    await deps?.db.close()
    idp.stop()
  })
  beforeEach(() => idp.reset())

  let requests = 0
  const ask = async (
    path: string,
    { cookie = '', method = 'GET', source = `192.0.2.${requests++ % 250}` } = {},
  ): Promise<Response> =>
    await app.fetch(
      new Request(publicUrl + path, { method, headers: { cookie, 'x-imapfleet-console': '1' } }),
      { incoming: { socket: { remoteAddress: source } } },
    )
  const cookieOf = (answer: Response, name: string) =>
    answer.headers
      .getSetCookie()
      .find((cookie) => cookie.startsWith(`${name}=`) && !cookie.includes('Max-Age=0'))

  interface Begun {
    cookie: string
    state: string
    nonce: string
  }
  const begin = async (to = '/'): Promise<Begun> => {
    const answer = await ask(`/sign-in/provider?to=${encodeURIComponent(to)}`)
    assert.equal(answer.status, 302)
    const url = new URL(answer.headers.get('location') ?? '')
    assert.equal(url.origin, idp.issuer)
    const [cookie = ''] = (cookieOf(answer, '__Host-imapfleet_sign_in') ?? '').split(';')
    return { cookie, state: url.searchParams.get('state') ?? '', nonce: url.searchParams.get('nonce') ?? '' }
  }
  const finish = async ({ cookie, state, nonce }: Begun, claims: object = {}, source?: string) => {
    idp.claims = { nonce, ...claims }
    return await ask(`/sign-in/callback?code=a-code&state=${state}&session_state=x`, {
      cookie,
      ...(source !== undefined && { source }),
    })
  }
  /** The cookie of a new session. */
  const signIn = async (claims: object = {}): Promise<string> => {
    const answer = await finish(await begin(), claims)
    assert.equal(answer.status, 302, await answer.clone().text())
    return (cookieOf(answer, 'imapfleet_session') ?? '').split(';')[0] ?? ''
  }
  const who = async (cookie: string): Promise<[number, Record<string, unknown>]> => {
    const answer = await ask('/v1/session', { cookie })
    return [answer.status, (await answer.json()) as Record<string, unknown>]
  }
  const refused = async (answer: Response, status: number, sentence: RegExp) => {
    assert.equal(cookieOf(answer, 'imapfleet_session'), undefined)
    const text = await answer.text()
    assert.match(text, sentence)
    assert.equal(answer.status, status)
    assert.match(answer.headers.get('content-type') ?? '', /^text\/html/)
    return text
  }

  test('a person gets a session with the rights of the first listed group, and returns to the page', async () => {
    const answer = await finish(await begin('/edges/eu-1?tab=pool'), { groups: ['x', 'staff', 'team-eu'] })
    assert.deepEqual(
      [answer.status, answer.headers.get('location')],
      [302, `${publicUrl}/edges/eu-1?tab=pool`],
    )
    assert.equal(answer.headers.get('cache-control'), 'no-store')
    const cookie = cookieOf(answer, 'imapfleet_session') ?? ''
    assert.match(cookie, /Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    assert.deepEqual(await who(cookie.split(';')[0] ?? ''), [
      200,
      { name: 'ann@example.org', role: 'operator', scopes: [], limits: { regions: ['eu'] } },
    ])
  })

  test('limits of a group are those of a token', async () => {
    const cookie = await signIn({ groups: ['team-eu'] })
    const answers = await Promise.all(
      ['/v1/audit', '/v1/tokens', '/v1/edges/us-1'].map(async (path) => await ask(path, { cookie })),
    )
    assert.deepEqual(
      answers.map(({ status }) => status),
      [403, 403, 404],
    )
  })

  test('the audit log names the person, the group and the subject, and nothing of the provider is stored', async () => {
    await signIn({ groups: ['admins'], sub: 'audited' })
    const { entries } = await listAudit(deps, { limit: 1, action: 'session.begin' })
    const [entry] = entries
    assert.deepEqual([entry?.actor, entry?.target], ['ann@example.org', 'ann@example.org'])
    const { person, group, role } = (entry?.after ?? {}) as Record<string, unknown>
    assert.deepEqual([person, group, role], [`${idp.issuer} audited`, 'admins', 'admin'])
    const tables = await deps.db.sql<{ name: string }[]>`
      select table_name as name from information_schema.tables where table_schema = 'public'`
    const rows = await Promise.all(
      tables.map(async ({ name }) => await deps.db.sql`select * from ${deps.db.sql(name)}`),
    )
    assert.doesNotMatch(JSON.stringify(rows), /access-token|refresh-token|a-code|eyJ/)
    assert.doesNotMatch(deps.lines.join(''), /access-token|refresh-token|a-code|eyJ/)
  })

  test('a callback without the cookie of its attempt, or with that of another one, is refused', async () => {
    const [one, other] = [await begin(), await begin()]
    await refused(await finish({ ...one, cookie: '' }), 400, /This browser did not start/)
    await refused(await finish({ ...one, cookie: other.cookie }), 400, /could not be verified/)
    await refused(await finish({ ...one, nonce: other.nonce }), 400, /could not be verified/)
    const [, value = ''] = one.cookie.split('=')
    await refused(
      await finish({ ...one, cookie: `imapfleet_sign_in=${value}` }),
      400,
      /This browser did not start/,
    )
    assert.ok(cookieOf(await finish(one), 'imapfleet_session'))
  })

  test('the cookie of an attempt is deleted, whether it succeeds or not', async () => {
    for (const claims of [{}, { groups: [] }, { nonce: 'another' }]) {
      const answer = await finish(await begin(), claims)
      assert.match(answer.headers.getSetCookie().join(), /__Host-imapfleet_sign_in=; Max-Age=0/)
    }
  })

  test('a sign-in always makes a new session, whatever cookie the browser had before', async () => {
    const begun = await begin()
    const planted = 'imapfleet_session=planted'
    const answer = await finish({ ...begun, cookie: `${begun.cookie}; ${planted}` })
    const cookie = (cookieOf(answer, 'imapfleet_session') ?? '').split(';')[0] ?? ''
    assert.notEqual(cookie, planted)
    assert.equal((await who(planted))[0], 401)
  })

  test('the callback never redirects to another site', async () => {
    for (const to of ['https://evil.example/', '//evil.example', '/\\evil.example', '/.//evil.example']) {
      const location = (await finish(await begin(to))).headers.get('location') ?? ''
      assert.ok(location.startsWith(`${publicUrl}/`), location)
    }
  })

  test('a person without a listed group is refused by name, and earlier sessions of the person end', async () => {
    const earlier = await signIn({ sub: 'leaver', groups: ['staff'] })
    const other = await signIn({ sub: 'stayer', groups: ['staff'] })
    assert.equal((await who(earlier))[0], 200)
    await refused(
      await finish(await begin(), { sub: 'leaver', groups: ['Staff', 'others'] }),
      403,
      /signed you in as ann@example\.org, but none of your groups/,
    )
    const [status, problem] = await who(earlier)
    assert.deepEqual([status, problem['code']], [401, 'session_over'])
    assert.equal((await who(other))[0], 200)
    const [entry] = (await listAudit(deps, { limit: 1, action: 'session.refuse' })).entries
    assert.equal(entry?.actor, 'ann@example.org')
    assert.match(JSON.stringify(entry), /"ended":1/)
  })

  test('a sign-in with other rights ends earlier sessions of the person; one with the same rights does not', async () => {
    const first = await signIn({ sub: 'mover', groups: ['admins'] })
    const second = await signIn({ sub: 'mover', groups: ['admins', 'x'] })
    assert.deepEqual([(await who(first))[0], (await who(second))[0]], [200, 200])
    const third = await signIn({ sub: 'mover', groups: ['staff'] })
    assert.deepEqual([(await who(first))[0], (await who(second))[0], (await who(third))[0]], [401, 401, 200])
  })

  test('a session ends after twelve hours or by signing out, and its token with it', async () => {
    const cookie = await signIn({ sub: 'worker' })
    const from = deps.now()
    deps.setNow(from + sessionSeconds * 1000 - 1)
    assert.equal((await who(cookie))[0], 200)
    deps.setNow(from + sessionSeconds * 1000)
    assert.equal((await who(cookie))[0], 401)
    deps.setNow(from)
    assert.equal((await ask('/v1/session', { cookie, method: 'DELETE' })).status, 204)
    assert.equal((await who(cookie))[0], 401)
    const [token] = await deps.db.sql`
      select expires_at, revoked_at from tokens where person = ${`${idp.issuer} worker`}`
    assert.deepEqual([token?.['expires_at'], token?.['revoked_at']], [new Date(from), null])
  })

  test('an administrator ends all sessions of a person, and no others', async () => {
    const theirs = [await signIn({ sub: 'lost' }), await signIn({ sub: 'lost' })]
    const others = await signIn({ sub: 'other', email: 'bob@example.org' })
    const machine = await createToken(deps, 'root', { name: 'ann@example.org', role: 'viewer', scopes: [] })
    const admin = await signIn({ sub: 'boss', email: 'boss@example.org', groups: ['admins'] })
    const end = async (name: string) => {
      const answer = await ask(`/v1/people/${encodeURIComponent(name)}`, { cookie: admin, method: 'DELETE' })
      return ((await answer.json()) as { ended: number }).ended
    }
    assert.ok((await end('ann@example.org')) >= 2)
    assert.equal(await end('ann@example.org'), 0)
    assert.deepEqual(
      [(await who(theirs[0]!))[0], (await who(theirs[1]!))[0], (await who(others))[0]],
      [401, 401, 200],
    )
    const bearer = await app.request('/v1/session', { headers: { authorization: `Bearer ${machine.token}` } })
    assert.equal(bearer.status, 200)
  })

  test('tokens of people are a list of their own, raise no alert about their expiry, and are deleted after a month', async () => {
    const cookie = await signIn({ sub: 'listed', email: 'listed@example.org' })
    const names = async (kind: 'machine' | 'person') =>
      (await listTokens(deps, { limit: 500, kind })).tokens.map(({ name }) => name)
    assert.ok((await names('person')).includes('listed@example.org'))
    assert.ok(!(await names('machine')).includes('listed@example.org'))
    assert.deepEqual(await expiringTokens(deps), [])
    const from = deps.now()
    deps.setNow(from + 31 * 86_400_000)
    await forgetOldAccess(deps)
    assert.deepEqual(await names('person'), [])
    assert.ok((await names('machine')).includes('ann@example.org'))
    deps.setNow(from)
    assert.equal((await who(cookie))[0], 401)
  })

  test('wrong codes are limited for each address, and further ones are not sent to the provider', async () => {
    const source = '198.51.100.7'
    idp.idToken = (claims) => signedJwt(claims, idp.otherKeys.privateKey)
    for (let count = 0; count < 30; count++)
      await refused(await finish(await begin(), {}, source), 400, /could not be verified/)
    idp.reset()
    await refused(await finish(await begin(), {}, source), 429, /Too many/)
    assert.deepEqual(
      idp.asked.filter(({ path }) => path === '/token'),
      [],
    )
    assert.ok(cookieOf(await finish(await begin()), 'imapfleet_session'), 'from another address')
  })

  test('the page of a refusal escapes what the provider sent', async () => {
    const email = '<img/src=x/onerror=alert(1)>@example.org'
    const page = await refused(await finish(await begin(), { email, groups: [] }), 403, /&lt;img/)
    assert.doesNotMatch(page, /<img/)
  })

  test('an outage of the provider is explained on a page, and the API works meanwhile', async () => {
    const begun = await begin()
    idp.handler = (path, response) => path === '/token' && response.destroy() !== undefined
    await refused(await finish(begun), 503, /does not answer/)
    assert.equal((await ask('/v1/sign-in')).status, 200)
  })

  test('the API says where to sign in; without a provider the addresses answer 404', async () => {
    assert.deepEqual(await (await ask('/v1/sign-in')).json(), {
      provider: { label: 'the provider', url: `${publicUrl}/sign-in/provider` },
    })
    const bare = createApp(
      { ...deps, provider: undefined },
      { stopping: stopping.signal, trustedProxies: [], consoleDirectory: '' },
    )
    assert.deepEqual(await (await bare.request('/v1/sign-in')).json(), { provider: null })
    for (const path of ['/sign-in/provider', '/sign-in/callback?code=a&state=b'])
      assert.equal((await bare.request(path)).status, 404)
  })
})
