/** Admission under random histories, compared with a model: limits hold, and no place or login is lost. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { AdmissionAtWork, connectionFor, requestOf, type Limits } from './admission.test-support.ts'
import { Dial } from './connections.ts'
import type { ServerConnection } from '../server/server-connection.ts'

interface Login {
  readonly user: string
  state: 'waiting' | 'judged' | 'in use' | 'idle' | 'over'
  dial?: Dial
  connection?: ServerConnection
}

const users = ['a', 'b', 'c']
const limitsOf = fc.record({
  connectionsMax: fc.integer({ min: 1, max: 4 }),
  connectionsPerUserMax: fc.nat(2),
  connectionsSpareMax: fc.nat(2),
  connectionsPerUserSpareMax: fc.nat(2),
  queueMax: fc.nat(4),
  queueTimeoutMs: fc.constant(60_000),
})
const step = fc.oneof(
  fc.record({ kind: fc.constant('login' as const), user: fc.constantFrom(...users), at: fc.nat() }),
  fc.record({
    kind: fc.constantFrom('accept', 'refuse', 'rest', 'reuse', 'close'),
    user: fc.constant(''),
    at: fc.nat(),
  }),
)

class Model {
  readonly work = new AdmissionAtWork()
  readonly limits: Limits
  logins: Login[] = []

  constructor(limits: Limits) {
    this.limits = limits
  }

  in(state: Login['state'], user?: string): Login[] {
    return this.logins.filter((login) => login.state === state && (user === undefined || login.user === user))
  }

  async login(user: string, limits = this.limits): Promise<void> {
    const login: Login = { user, state: 'waiting' }
    this.logins.push(login)
    const place = await this.work.admission.take(requestOf(user, limits))
    login.state = place instanceof Dial ? 'judged' : 'over'
    if (place instanceof Dial) login.dial = place
  }

  accept(login: Login): void {
    login.connection = connectionFor(login.dial!.request)
    login.state = this.work.admission.admit(login.dial!, login.connection) ? 'in use' : 'over'
  }

  refuse(login: Login): void {
    login.state = 'over'
    this.work.admission.giveUp(login.dial!)
  }

  close(login: Login): void {
    login.state = 'over'
    this.work.close(login.connection!)
  }

  rest(login: Login): void {
    const { connections, admission } = this.work
    login.state = 'idle'
    connections.toResetting(login.connection!)
    connections.toIdle(login.connection!)
    admission.becameIdle(login.connection!)
  }

  reuse(login: Login): void {
    login.state = 'in use'
    this.work.connections.toLeased(login.connection!, {
      address: '',
      isConnected: true,
      loginSignal: AbortSignal.any([]),
      family: '',
    })
  }

  do({ kind, user, at }: { kind: string; user: string; at: number }): void {
    const from = ({ accept: 'judged', refuse: 'judged', rest: 'in use', reuse: 'idle' } as const)[kind]
    const open = from ? this.in(from) : [...this.in('in use'), ...this.in('idle')]
    const login = open[at % open.length]
    if (kind === 'login') void this.login(user)
    else if (login === undefined) return
    else if (kind === 'accept') this.accept(login)
    else if (kind === 'refuse') this.refuse(login)
    else if (kind === 'close') this.close(login)
    else if (kind === 'rest') this.rest(login)
    else this.reuse(login)
    // Admission may have evicted idle connections.
    for (const idle of this.in('idle'))
      if (this.work.connections.stateOf(idle.connection!) === 'closed') idle.state = 'over'
  }

  check(): void {
    const { connectionsMax, connectionsPerUserMax, connectionsSpareMax, queueMax } = this.limits
    const userSpareMax = Math.min(connectionsSpareMax, this.limits.connectionsPerUserSpareMax)
    const { connections } = this.work
    const open = (user?: string) => this.in('in use', user).length + this.in('idle', user).length
    const judged = (user?: string) => this.in('judged', user).length
    assert.equal(connections.count('leased'), this.in('in use').length)
    assert.equal(connections.count('idle'), this.in('idle').length)
    assert.equal(connections.count('dialing'), judged())
    assert.ok(open() <= connectionsMax)
    assert.ok(open() + judged() <= connectionsMax + connectionsSpareMax)
    const waiting = this.in('waiting')
    assert.ok(waiting.length <= queueMax)
    assert.equal(this.work.waiting, waiting.length)
    for (const user of users) {
      if (connectionsPerUserMax > 0) {
        assert.ok(open(user) <= connectionsPerUserMax)
        assert.ok(open(user) + judged(user) <= connectionsPerUserMax + userSpareMax)
      }
      if (this.in('waiting', user).length === 0) continue
      const [mine, all] = [open(user) + judged(user), open() + judged()]
      // A full limit without spare connections: idle ones are evicted before the login, for both limits.
      const evictsNow =
        (connectionsSpareMax === 0 && all >= connectionsMax) ||
        (userSpareMax === 0 && connectionsPerUserMax > 0 && mine >= connectionsPerUserMax)
      const beyond = (count: number, max: number, idle: number, spare: number) =>
        count < max || (idle > count - max && (evictsNow || count - max < spare))
      const mayEnter =
        beyond(all, connectionsMax, this.in('idle').length, connectionsSpareMax) &&
        (connectionsPerUserMax === 0 ||
          beyond(mine, connectionsPerUserMax, this.in('idle', user).length, userSpareMax))
      assert.ok(!mayEnter, `a login of ${user} is passed over`)
    }
  }
}

/** Runs the callbacks of all settled promises. */
const heard = () => new Promise<void>((resolve) => setImmediate(resolve))

test('after any history the limits hold, no place is lost, and no login waits that may enter', async () => {
  await fc.assert(
    fc.asyncProperty(limitsOf, fc.array(step, { maxLength: 60, size: 'max' }), async (limits, steps) => {
      const model = new Model(limits)
      for (const each of steps) {
        model.do(each)
        await heard()
        model.check()
      }
      while (model.logins.some(({ state }) => state !== 'over')) {
        for (const login of model.in('judged')) model.refuse(login)
        for (const login of [...model.in('in use'), ...model.in('idle')]) model.close(login)
        await heard()
      }
      const all = { ...limits, connectionsPerUserMax: 0, queueMax: 0 }
      for (let count = 0; count < limits.connectionsMax + 1; count++) await model.login('d', all)
      assert.equal(model.in('judged').length, limits.connectionsMax)
    }),
    { seed: 23, numRuns: 3000 },
  )
})
