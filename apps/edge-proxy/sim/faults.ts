/** The faults of a world, and the actions of its operators. */
import { carryOut, revoke, startTrace, stopTrace } from '../src/ops/operations.ts'
import type { Chance } from './chance.ts'
import type { MailServer } from './mail-server.ts'
import { neverValid, ownersIn, secrets } from './mail-store.ts'
import type { FaultKind, PlannedFault } from './plan.ts'
import type { Wire, WireEnd } from './wire.ts'
import type { World } from './world.ts'

export class Faults {
  readonly #world: World
  #isOver = false
  #changes = 0

  constructor(world: World) {
    this.#world = world
  }

  begin({ index, kind }: PlannedFault): void {
    if (this.#isOver) return
    const chance = this.#world.chance.derive(`fault ${index}`)
    this.#world.scheduler.log.add(`fault ${index}: ${kind}`)
    this.#kinds[kind](chance)
  }

  /** Ends all faults. */
  end(): void {
    const { servers, switchboard, edge, scheduler, plan } = this.#world
    this.#isOver = true
    scheduler.log.add('the trouble ends')
    for (const server of servers) {
      server.isHonest = true
      server.unhang()
      switchboard.set(server.address, 'up')
    }
    for (const server of servers) if (server.troubledAt !== undefined) this.#recover(server)
    edge.resume()
    carryOut(edge.context, { kind: 'resume-upstream', upstream: 'main' })
    for (const user of plan.users) stopTrace(edge.context, `trace-${user}`)
  }

  readonly #kinds: Record<FaultKind, (chance: Chance) => void> = {
    'cut-client': (chance) => this.#cut(chance, this.#clientWires()),
    'cut-server': (chance) => this.#cut(chance, this.#serverWires()),
    'stall-client': (chance) => this.#stall(chance, this.#clientWires()),
    'stall-server': (chance) => this.#stall(chance, this.#serverWires()),
    crash: () => this.#world.server.crash(),
    hang: (chance) => {
      const { server, scheduler } = this.#world
      server.hang()
      scheduler.after(chance.between(10, 20_000), () => server.unhang())
    },
    unreachable: (chance) => {
      const { server, switchboard, scheduler } = this.#world
      switchboard.set(server.address, chance.pick(['refuses', 'silent'] as const))
      scheduler.after(chance.between(10, 15_000), () => switchboard.set(server.address, 'up'))
    },
    'clock-jump': (chance) => {
      this.#world.wallOffsetMs = chance.pick([-86_400_000, -3000, 0, 3000, 400_000_000])
    },
    freeze: (chance) => {
      const { scheduler, auditor } = this.#world
      scheduler.freeze(chance.between(100, 8000))
      auditor.frozenUntil = scheduler.now
    },
    reload: (chance) => this.#reload(chance),
    drain: (chance) => {
      const { edge, scheduler } = this.#world
      edge.drain()
      scheduler.after(chance.between(10, 5000), () => edge.resume())
    },
    kick: (chance) => {
      const { edge, auditor, plan } = this.#world
      const user = chance.pick(plan.users)
      for (const session of auditor.sessions.values()) if (session.user === user) session.mayBeCut = true
      carryOut(edge.context, { kind: 'kick-user', user })
      if (edge.context.sessions.of(user).length > 0)
        auditor.finding(`sessions of ${user} are active after a kick`)
    },
    purge: (chance) => {
      const { edge, auditor, plan } = this.#world
      const user = chance.pick(plan.users)
      carryOut(edge.context, { kind: 'purge-idle', user })
      if (edge.context.pool.connections.idle().some((idle) => idle.user === user))
        auditor.finding(`connections of ${user} are idle after a purge`)
    },
    revoke: (chance) => {
      const { edge, auditor, plan } = this.#world
      const user = chance.pick(plan.users)
      revoke(edge.context, { kind: 'user', subject: chance.happens(0.5) ? user.toUpperCase() : user })
      auditor.distrust(user, 'she was revoked')
    },
    'change-secret': (chance) => {
      const account = this.#world.accounts.get(chance.pick(this.#world.plan.users))!
      const [former] = secrets.filter((secret) => secret !== neverValid && !account.secrets.has(secret))
      if (former !== undefined && chance.happens(0.3)) return void account.secrets.add(former)
      const old = chance.pick([...account.secrets])
      account.secrets.delete(old)
      account.secrets.add(secrets[3 + (this.#changes++ % 3)]!)
      if (chance.happens(0.4)) account.secrets.add(old)
    },
    remark: (chance) => {
      for (const connection of this.#world.server.connections) if (chance.happens(0.4)) connection.remark()
    },
    memory: (chance) => this.#runShort(chance),
    restart: (chance) => {
      const { servers, switchboard, scheduler } = this.#world
      for (const server of chance.happens(0.5) ? servers : servers.slice(0, 1)) {
        server.troubledAt = Infinity
        server.crash()
        switchboard.set(server.address, chance.pick(['refuses', 'silent'] as const))
        const greetsEveryMs = chance.pick([0, 20, 60])
        const downMs = chance.between(500, chance.pick([6000, 20_000]))
        scheduler.after(downMs, () => {
          switchboard.set(server.address, 'up')
          server.greetsEveryMs = greetsEveryMs
        })
        scheduler.after(downMs + chance.between(3000, 9000), () => this.#recover(server))
      }
    },
    'fail-logins': (chance) => {
      const { servers, scheduler } = this.#world
      for (const server of chance.happens(0.3) ? servers : servers.slice(0, 1)) {
        server.troubledAt = Infinity
        server.failsLogins = chance.pick(['closed', 'unavailable'] as const)
        scheduler.after(chance.between(3000, 15_000), () => this.#recover(server))
      }
    },
    disable: (chance) => {
      const account = this.#world.accounts.get(chance.pick(this.#world.plan.users))!
      account.isDisabled = !account.isDisabled
    },
    'pause-upstream': (chance) => {
      const { edge, scheduler } = this.#world
      carryOut(edge.context, { kind: 'pause-upstream', upstream: 'main' })
      scheduler.after(chance.between(10, 5000), () =>
        carryOut(edge.context, { kind: 'resume-upstream', upstream: 'main' }),
      )
    },
    trace: (chance) => this.#trace(chance),
  }

  /** The server greets and answers logins as usual again. */
  #recover(server: MailServer): void {
    server.greetsEveryMs = 0
    server.failsLogins = undefined
    server.troubledAt = this.#world.scheduler.now
  }

  /** The process is short of memory for some time. */
  #runShort(chance: Chance): void {
    const { edge, scheduler } = this.#world
    const until = scheduler.now + chance.between(500, 6000)
    const isExhausted = chance.happens(0.5)
    const again = () => {
      const isShort = scheduler.now < until && !this.#isOver
      edge.context.pool.onMemory(isShort ? (isExhausted ? 'exhausted' : 'short') : 'enough')
      if (isShort) scheduler.after(300, again)
    }
    again()
  }

  #clientWires(): Wire[] {
    return [...this.#world.switchboard.wires].filter(({ name }) => name.startsWith('c'))
  }

  #serverWires(): Wire[] {
    return [...this.#world.switchboard.wires].filter(({ name }) => !name.startsWith('c'))
  }

  #harm(wire: Wire): void {
    const { auditor, server } = this.#world
    const number = /^c(\d+)$/.exec(wire.name)?.[1]
    const session = number === undefined ? undefined : auditor.sessions.get(Number(number))
    if (session) session.isHarmed = true
    for (const connection of server.connections) if (connection.end.wire === wire) connection.isHarmed = true
  }

  #cut(chance: Chance, wires: readonly Wire[]): void {
    if (wires.length === 0) return
    const wire = chance.pick(wires)
    this.#harm(wire)
    const end: WireEnd = chance.happens(0.5) ? wire.near : wire.far
    end.lane.cut = {
      bytes: chance.below(chance.pick([2, 20, 200, 5000])),
      how: chance.pick(['reset', 'finish', 'vanish'] as const),
    }
  }

  #stall(chance: Chance, wires: readonly Wire[]): void {
    if (wires.length === 0) return
    const wire = chance.pick(wires)
    this.#harm(wire)
    const ms = chance.pick([100, 4000, 30_000])
    for (const end of chance.happens(0.5) ? [wire.near] : [wire.near, wire.far]) end.lane.stall(ms)
  }

  #reload(chance: Chance): void {
    const world = this.#world
    world.hasReloaded = true
    const before = JSON.stringify(world.config.upstreams['main'])
    world.config = world.resolved({
      ...world.plan.config,
      pool: {
        ...(world.plan.config['pool'] as object),
        selectCache: chance.pick(['off', 'exact']),
        usesMax: chance.pick([1, 1000]),
        idleTimeoutMs: chance.pick([1000, 300_000]),
      },
      ...(chance.happens(0.5) && {
        upstreams: {
          main: {
            ...(world.plan.config['upstreams'] as { main: object }).main,
            loginTimeoutMs: chance.between(3000, 6000),
          },
        },
      }),
    })
    world.edge.apply(world.config)
    const main = world.config.upstreams['main']
    if (JSON.stringify(main) !== before)
      for (const user of world.plan.users)
        world.auditor.distrust(user, 'the settings of the server have changed')
    world.noteLimits()
  }

  #trace(chance: Chance): void {
    const { edge, plan, auditor } = this.#world
    const user = chance.pick(plan.users)
    const id = `trace-${user}`
    if (chance.happens(0.3)) return stopTrace(edge.context, id)
    const expiresAt = edge.context.clock.wall() + chance.between(1000, 30_000)
    startTrace(
      edge.context,
      { id, user, expiresAt, bytesMax: chance.pick([1000, 1_000_000]), bodies: chance.happens(0.5) },
      {
        line: (_, { text }) => {
          for (const owner of ownersIn(text))
            if (owner !== user) auditor.finding(`the trace of ${user} shows data of ${owner}`)
          for (const secret of secrets)
            if (text.includes(secret)) auditor.finding(`a trace of ${user} shows her secret`)
        },
        ended: () => {},
      },
    )
  }
}
