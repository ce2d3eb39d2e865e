/** The room under random histories, beside a model that counts by hand: limits hold, no place is lost, nobody is passed over. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { Room, type Claim, type Limited } from './room.ts'

interface Login {
  claim: Claim
  state: 'waiting' | 'judged' | 'in use' | 'idle' | 'over'
}

const users = ['a', 'b', 'c']
const limitsOf = fc.record({
  connectionsMax: fc.integer({ min: 1, max: 4 }),
  connectionsPerUserMax: fc.nat(2),
  connectionsSpareMax: fc.nat(2),
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
  readonly room = new Room()
  readonly limits: Claim['limits']
  logins: Login[] = []

  constructor(limits: Claim['limits']) {
    this.limits = limits
  }

  in(state: Login['state'], user?: string): Login[] {
    return this.logins.filter(
      (login) => login.state === state && (user === undefined || login.claim.identity === user),
    )
  }

  async login(user: string, limits = this.limits): Promise<void> {
    const idle = (of: Limited) => this.in('idle', of === 'user' ? user : undefined)
    const claim: Claim = {
      upstream: 'main',
      identity: user,
      limits,
      isWanted: () => true,
      isProven: () => false,
      fits: () => false,
      idle: (of) => idle(of).length,
      free: (of) => this.close(idle(of)[0]!),
    }
    const login: Login = { claim, state: 'waiting' }
    this.logins.push(login)
    login.state = (await this.room.take(claim)) === 'taken' ? 'judged' : 'over'
  }

  accept(login: Login): void {
    login.state = 'in use'
    if (!this.room.admit(login.claim)) login.state = 'over'
  }

  refuse(login: Login): void {
    login.state = 'over'
    this.room.giveUp(login.claim)
  }

  close(login: Login): void {
    login.state = 'over'
    this.room.leave('main', login.claim.identity)
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
    else login.state = kind === 'rest' ? 'idle' : 'in use'
    if (kind === 'rest') this.room.serve('main')
  }

  check(): void {
    const { connectionsMax, connectionsPerUserMax, connectionsSpareMax, queueMax } = this.limits
    const open = (user?: string) => this.in('in use', user).length + this.in('idle', user).length
    const judged = (user?: string) => this.in('judged', user).length
    assert.ok(open() <= connectionsMax)
    assert.ok(open() + judged() <= connectionsMax + connectionsSpareMax)
    const waiting = this.in('waiting')
    assert.ok(waiting.length <= queueMax)
    assert.equal(this.room.waitingTotal, waiting.length)
    for (const user of users) {
      if (connectionsPerUserMax > 0) assert.ok(open(user) <= connectionsPerUserMax)
      if (this.in('waiting', user).length === 0) continue
      const beyond = (count: number, max: number, idle: number) =>
        count < max ||
        (idle > count - max && (connectionsSpareMax === 0 || count - max < connectionsSpareMax))
      const mayEnter =
        beyond(open() + judged(), connectionsMax, this.in('idle').length) &&
        (connectionsPerUserMax === 0 ||
          beyond(open(user) + judged(user), connectionsPerUserMax, this.in('idle', user).length))
      assert.ok(!mayEnter, `a login of ${user} is passed over`)
    }
  }
}

/** Every promise of the room that is settled has been heard. */
const heard = () => new Promise<void>((resolve) => setImmediate(resolve))

test('after any history the limits hold, no place is lost, and nobody waits who may enter', async () => {
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
