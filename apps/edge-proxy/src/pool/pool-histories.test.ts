/**
 * The pool under random histories with real connections, compared with a model of the server: passwords change, limits of users
 * and of the server are reached, logins fail in every way, connections are lost, extensions are enabled, other edges
 * report changes. A session gets only connections that its credentials opened, counts return to zero, and no login is blocked.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { wire } from '../imap/cuts.test-support.ts'
import type { Credentials } from '../imap/credentials.ts'
import type { Peer } from '../net/wire.test-support.ts'
import { isPeerServed, serverAt, wellBehaved, type Asked } from '../server/scripted-server.test-support.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { HandBack } from '../server/reset.ts'
import { userKeyOf } from './key.ts'
import type { Leased, LeaseHolder, Refused } from './lease.ts'
import { poolAtWork, untilTrue } from './pool.test-support.ts'

const users = ['joe', 'Joe', 'jane'] as const
const secrets = ['A', 'B', 'wrong'] as const
const authzids = ['', '', '', 'jane'] as const
const moods = ['LIMIT', 'UNAVAILABLE', 'LIMIT of all', 'silence', 'end', 'BAD'] as const

const step = fc.oneof(
  fc.record({
    kind: fc.constantFrom('login' as const, 'page' as const),
    user: fc.constantFrom(...users),
    secret: fc.constantFrom(...secrets),
    authzid: fc.constantFrom(...authzids),
    family: fc.constantFrom('', 'condstore'),
  }),
  fc.record({
    kind: fc.constantFrom('end', 'end', 'end', 'swap', 'leave', 'die'),
    at: fc.nat(100),
    how: fc.constantFrom('clean', 'clean', 'selected', 'enabled', 'condstore', 'bad', 'refused'),
  }),
  fc.record({
    kind: fc.constant('change' as const),
    user: fc.constantFrom(...users),
    secret: fc.constantFrom('A', 'B'),
  }),
  fc.record({ kind: fc.constant('mood' as const), mood: fc.constantFrom(...moods) }),
  fc.record({ kind: fc.constant('limit' as const), limit: fc.constantFrom(1, 2, 3, 100) }),
  fc.record({
    kind: fc.constantFrom('news', 'purge'),
    user: fc.constantFrom(...users),
  }),
  fc.record({
    kind: fc.constantFrom('suspend', 'resume', 'reload', 'sweep', 'doubt', 'answer', 'quiet'),
  }),
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** The server's view of a logged-in connection. */
interface Session {
  readonly peer: Peer
  readonly user: string
  readonly secret: string
  readonly authzid: string
  readonly generation: number
  isSelected: boolean
  enabled: string
  /** Its secret was accepted for the first time since its last refusal. */
  readonly isFirst: boolean
  /** By the rules of evidence, no later session may use it. */
  isTainted: boolean
}

interface Login {
  readonly user: string
  readonly secret: string
  readonly authzid: string
  readonly holder: LeaseHolder & { isConnected: boolean }
  readonly abort: AbortController
  readonly wantsCondstore: boolean
  result?: Leased | Refused
}

class History {
  readonly work
  readonly sessions: Session[] = []
  readonly right = new Set<string>()
  readonly known = new Set<string>()
  readonly logins: Login[] = []
  readonly held: (() => void)[] = []
  readonly moods: string[] = []
  readonly resumes: (() => void)[] = []
  readonly failures: unknown[] = []
  limit = 100
  server
  generation = 1
  readonly #limits

  constructor(work: Awaited<ReturnType<typeof poolAtWork>>, limits: Parameters<typeof serverAt>[1]) {
    this.work = work
    this.#limits = limits
    this.server = work.server
    for (const user of users) for (const secret of ['A', 'B']) this.right.add(`${userKeyOf(user)} ${secret}`)
    work.scripted.script = (asked) => this.#answer(asked)
  }

  #answer(asked: Asked): string | undefined {
    const { verb, tag, text, peer } = asked
    const session = this.sessions.find((each) => each.peer === peer)
    if (verb === 'UNSELECT' && session) session.isSelected = false
    if (verb !== 'LOGIN' && verb !== 'AUTHENTICATE') return wellBehaved(asked)
    const [, name = '', password = ''] = text.replaceAll('"', '').split(' ')
    const plain = verb === 'AUTHENTICATE' ? Buffer.from(password, 'base64').toString().split('\0') : []
    const [authzid = '', user = name, secret = password] = plain
    const mood = this.moods.shift()
    if (mood === 'end') {
      peer.socket.end()
      return undefined
    }
    if (mood === 'LIMIT') return `${tag} NO [LIMIT] Too many connections of this user\r\n`
    if (mood === 'LIMIT of all') return `${tag} NO Too many connections from your host\r\n`
    if (mood === 'UNAVAILABLE') return `${tag} NO [UNAVAILABLE] later\r\n`
    if (mood === 'BAD') return `${tag} BAD what\r\n`
    const judge = (): string => {
      if (!this.right.has(`${userKeyOf(user)} ${secret}`)) return `${tag} NO [AUTHENTICATIONFAILED] no\r\n`
      const acting = userKeyOf(authzid || user)
      const present = this.sessions.filter(
        (each) => isPeerServed(each.peer) && userKeyOf(each.authzid || each.user) === acting,
      )
      if (present.length >= this.limit) return `${tag} NO [LIMIT] Too many connections of this user\r\n`
      const { generation } = this
      const key = `${userKeyOf(user)} ${secret}`
      const isFirst = !this.known.has(key)
      this.known.add(key)
      this.sessions.push({
        isFirst,
        peer,
        user,
        secret,
        authzid,
        generation,
        isSelected: false,
        enabled: '',
        isTainted: false,
      })
      return `${tag} OK ${this.sessions.length - 1}\r\n`
    }
    if (mood !== 'silence') return judge()
    this.held.push(() => peer.say(judge()))
    return undefined
  }

  sessionOf = ({ loginText }: ServerConnection): Session => this.sessions[Number(loginText)]!

  login(user: string, secret: string, authzid: string, family: string): Login {
    const abort = new AbortController()
    const holder = { address: '192.0.2.7', isConnected: true, loginSignal: abort.signal, family }
    const login: Login = { user, secret, authzid, holder, abort, wantsCondstore: family === 'condstore' }
    const credentials: Credentials = {
      user: wire(user),
      authzid: wire(authzid),
      secret: wire(secret),
      mechanism: authzid === '' ? 'command' : 'PLAIN',
    }
    this.logins.push(login)
    void Promise.resolve(this.work.pool.lease(this.server, credentials, holder))
      .then((result) => this.#onResult(login, result))
      .catch((error: unknown) => void this.failures.push(error))
    return login
  }

  #onResult(login: Login, result: Leased | Refused): void {
    login.result = result
    if (result.kind === 'leased') return this.#onLeased(login, result)
    if (result.cause !== 'wrong-credentials') return
    const key = `${userKeyOf(login.user)} ${login.secret}`
    this.known.delete(key)
    this.#taint((each) => `${userKeyOf(each.user)} ${each.secret}` === key)
  }

  #onLeased(login: Login, { connection, reused }: Leased): void {
    connection.setHandlers({ onData() {}, onEnd() {} }, { onResponse: () => 'omit', onPass() {} })
    const session = this.sessionOf(connection)
    const { user, secret, authzid } = session
    assert.deepEqual(
      [user, secret, authzid],
      [login.user, login.secret, login.authzid],
      'opened by the same login',
    )
    assert.equal(this.work.pool.connections.holderOf(connection), login.holder)
    const others = this.logins.filter((each) => each !== login && this.#connectionOf(each) === connection)
    assert.equal(others.length, 0, 'it has one session')
    assert.equal(connection.enabledKey, session.enabled)
    assert.ok(connection.enabledKey === '' || (login.wantsCondstore && session.enabled === 'condstore'))
    assert.equal(session.isSelected, false)
    if (reused) return assert.equal(session.isTainted, false, 'nothing is known against it')
    if (session.isFirst)
      this.#taint((each) => userKeyOf(each.user) === userKeyOf(user) && each.secret !== secret)
  }

  #taint(isMeant: (session: Session) => boolean): void {
    for (const session of this.sessions) if (isMeant(session)) session.isTainted = true
  }

  #connectionOf({ result }: Login): ServerConnection | undefined {
    return result?.kind === 'leased' ? result.connection : undefined
  }

  get leased(): Login[] {
    return this.logins.filter(({ result }) => result?.kind === 'leased')
  }

  get waiting(): Login[] {
    return this.logins.filter(({ result }) => result === undefined)
  }

  #handBack(login: Login, how: string): HandBack {
    const connection = this.#connectionOf(login)!
    const session = this.sessionOf(connection)
    const usesCondstore = how === 'condstore' && login.wantsCondstore
    if (how === 'selected') {
      connection.mailboxMayBeSelected()
      session.isSelected = true
    } else if (how === 'enabled') {
      connection.enabledByOne(['QRESYNC'], 'QRESYNC')
    } else if (usesCondstore) connection.condstoreEnabled()
    session.enabled = connection.enabledKey
    return {
      connection,
      refusal: how === 'refused' ? 'kicked' : undefined,
      unanswered: [],
      idling: false,
      usesCondstore,
      hadBad: how === 'bad',
    }
  }

  end(login: Login, how: string): void {
    const handBack = this.#handBack(login, how)
    this.logins.splice(this.logins.indexOf(login), 1)
    void this.work.pool.giveBack(handBack, login.holder)
  }

  swap(login: Login): void {
    const handBack = { ...this.#handBack(login, 'clean'), usesCondstore: undefined }
    const other = this.work.pool.swap(this.server, 'QRESYNC', handBack, login.holder)
    if (!other) return
    const session = this.sessionOf(other)
    assert.deepEqual(
      [session.user, session.secret, session.authzid, session.isTainted, session.isSelected],
      [login.user, login.secret, login.authzid, false, false],
    )
    assert.match(session.enabled, /^QRESYNC( condstore)?$/)
    login.result = { ...(login.result as Leased), connection: other }
  }

  /** Settles when only answers that the server holds back, and logins that wait for a place, are left. */
  quiet(): Promise<void> {
    const { connections } = this.work.pool
    return untilTrue(
      () =>
        connections.count('resetting') === 0 &&
        connections.count('dialing') <= this.held.length &&
        this.waiting.length <= connections.count('waiting') + this.held.length,
    )
  }

  answer(): void {
    for (const say of this.held.splice(0)) say()
  }

  do(now: Step): Login | undefined {
    const { pool, clock } = this.work
    const pick = <T>(list: readonly T[], at: number): T | undefined => list[at % list.length]
    switch (now.kind) {
      case 'login':
      case 'page':
        return this.login(now.user, now.secret, now.authzid, now.family)
      case 'end': {
        const login = pick(this.leased, now.at)
        if (login) this.end(login, now.how)
        break
      }
      case 'swap': {
        const login = pick(this.leased, now.at)
        if (login && this.#connectionOf(login)!.enabledKey === '') this.swap(login)
        break
      }
      case 'leave': {
        const login = pick(this.waiting, now.at)
        if (!login) break
        login.holder.isConnected = false
        login.abort.abort('client-gone')
        break
      }
      case 'die':
        pick(this.work.scripted.connections.filter(isPeerServed), now.at)?.socket.destroy()
        break
      case 'change': {
        const key = `${userKeyOf(now.user)} ${now.secret}`
        if (!this.right.delete(key)) this.right.add(key)
        break
      }
      case 'mood':
        this.moods.push(now.mood)
        break
      case 'limit':
        this.limit = now.limit
        break
      case 'news':
        pool.evidence.changedElsewhere(new Set([userKeyOf(now.user)]))
        this.#taint(({ user }) => userKeyOf(user) === userKeyOf(now.user))
        break
      case 'purge':
        pool.purge(({ user }) => user === now.user, 'revoked')
        this.#taint(({ user, authzid }) => (authzid || user) === now.user)
        break
      case 'suspend':
        this.resumes.push(pool.suspendReuse())
        break
      case 'resume':
        this.resumes.shift()?.()
        break
      case 'reload': {
        this.generation++
        this.server = serverAt(this.work.scripted.port, this.#limits, 'main', this.generation)
        this.work.servers.set('main', this.server)
        pool.dropUnfit()
        this.#taint(({ generation }) => generation !== this.generation)
        break
      }
      case 'sweep':
        clock.now += 40_000
        pool.sweep()
        break
      case 'doubt':
        pool.doubtIdle()
        break
      case 'answer':
        this.answer()
        break
      case 'quiet':
    }
    return undefined
  }

  /** Ends all sessions. After that, each user must get a connection. */
  async over(): Promise<void> {
    const { pool } = this.work
    this.moods.length = 0
    for (const resume of this.resumes.splice(0)) resume()
    while (this.logins.length > 0 || pool.connections.count('dialing') > 0) {
      this.answer()
      for (const login of this.waiting) {
        login.holder.isConnected = false
        login.abort.abort('client-gone')
      }
      for (const login of this.leased) this.end(login, 'clean')
      for (const login of [...this.logins])
        if (login.result?.kind === 'refused') this.logins.splice(this.logins.indexOf(login), 1)
      await new Promise((resolve) => setImmediate(resolve))
    }
    await this.quiet()
    for (const state of ['dialing', 'waiting', 'leased', 'resetting'] as const)
      assert.equal(pool.connections.count(state), 0, state)
    await this.work.accounted()
    for (const user of users) {
      this.right.add(`${userKeyOf(user)} A`)
      this.limit = Math.max(1, this.limit)
      const login = this.login(user, 'A', '', '')
      await untilTrue(() => login.result !== undefined)
      assert.equal(login.result?.kind, 'leased', `${user} is locked out: ${inspect(login.result)}`)
      this.end(login, 'clean')
      await this.quiet()
    }
    assert.deepEqual(this.failures, [])
    pool.cut()
    assert.ok(pool.connections.isEmpty)
  }
}

const limitsOf = fc.record({
  connectionsMax: fc.constantFrom(2, 4, 100),
  connectionsPerUserMax: fc.constantFrom(0, 2, 9),
  connectionsSpareMax: fc.constantFrom(0, 2, 64),
  queueTimeoutMs: fc.constant(60_000),
})

test('after any history, a session gets only connections that its credentials opened and no evidence excludes, and all connections are accounted for', async () => {
  await fc.assert(
    fc.asyncProperty(limitsOf, fc.array(step, { maxLength: 60, size: 'max' }), async (limits, steps) => {
      const history = new History(await poolAtWork({ limits }), limits)
      for (const each of steps) {
        const login = history.do(each)
        if (each.kind === 'quiet' || each.kind === 'page') await history.quiet()
        else await new Promise((resolve) => setImmediate(resolve))
        if (each.kind === 'page' && login?.result?.kind === 'leased') {
          history.end(login, 'clean')
          await history.quiet()
        }
        assert.deepEqual(history.failures, [])
      }
      await history.over()
    }),
    { seed: 31, numRuns: 100 },
  )
})
