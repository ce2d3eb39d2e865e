/** The contents of a world, drawn from its seed. A plan can be reduced, to find the smallest one that still fails. */
import type { Layer } from '@imapfleet/config'
import { Chance } from './chance.ts'
import { families, wildFamily } from './client-script.ts'
import type { ServerTraits } from './mail-server.ts'
import { allUsers } from './mail-store.ts'

export const faultKinds = [
  'cut-client',
  'cut-server',
  'stall-client',
  'stall-server',
  'crash',
  'hang',
  'unreachable',
  'clock-jump',
  'freeze',
  'reload',
  'drain',
  'kick',
  'purge',
  'revoke',
  'change-secret',
  'disable',
  'pause-upstream',
  'trace',
  'remark',
  'memory',
  'restart',
  'fail-logins',
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Faults about trust are drawn more often than others. */
const drawn: readonly FaultKind[] = [
  ...faultKinds.filter((kind) => kind !== 'restart' && kind !== 'fail-logins'),
  'purge',
  ...Array.from({ length: 4 }, () => 'revoke' as const),
  ...Array.from({ length: 6 }, () => 'change-secret' as const),
  ...Array.from({ length: 3 }, () => 'remark' as const),
]

export interface PlannedFault {
  readonly index: number
  readonly kind: FaultKind
  readonly at: number
}

export interface PlannedClient {
  readonly number: number
  readonly at: number
  readonly user: string
  /** Which of the user's passwords: the first two are valid at the start, the third never is. `latest`: the newest valid one. */
  readonly secret: number | 'latest'
  readonly family: string
}

/**
 * What a world is like. `restart`: many clients, and a mail server with two addresses restarts; then all clients come again. `calm`: nothing goes wrong. `busy`: neither, but there are few places. `fragile`:
 * connections fail while they are reset. In these three, every login with a valid password succeeds. `troubled`: anything can go wrong.
 */
export type Mood = 'calm' | 'busy' | 'fragile' | 'troubled' | 'restart'

export interface Plan {
  readonly seed: number
  readonly mood: Mood
  readonly config: Layer
  readonly traits: ServerTraits
  readonly users: readonly string[]
  readonly clients: readonly PlannedClient[]
  readonly faults: readonly PlannedFault[]
  /** Maximum number of pages of each client. */
  readonly stepsMax: number
  /** Some messages are larger than the bytes that may wait for a slow client. */
  readonly hasBigMail: boolean
}

/** Share of all worlds. */
const restartShare = 0.06

/** Time of the restart in a world with one. */
export const restartAtMs = 15_000

/** Duration of the faults. */
export const troubledMs = 40_000

/** A reduced plan: the numbers of clients and faults, the pages of each client, and changes of the plan. */
export interface Reduction {
  readonly clients?: readonly number[] | undefined
  readonly faults?: readonly number[] | undefined
  readonly steps?: number | undefined
  /** Answer-ahead is on, whatever the seed. */
  readonly ahead?: boolean | undefined
  /** A world with this many clients, whose mail server restarts, whatever the seed. */
  readonly restart?: number | undefined
}

export function planOf(
  seed: number,
  { clients, faults, steps, ahead = false, restart }: Reduction = {},
): Plan {
  const own = new Chance(seed).derive('with a restart')
  const count = restart ?? (own.happens(restartShare) ? own.pick([60, 150]) : 0)
  const plan = count === 0 ? wholePlanOf(seed, ahead) : restartPlanOf(seed, count, ahead)
  return {
    ...plan,
    clients: plan.clients.filter(({ number }) => clients?.includes(number) ?? true),
    faults: plan.faults.filter(({ index }) => faults?.includes(index) ?? true),
    stepsMax: steps ?? plan.stepsMax,
  }
}

function wholePlanOf(seed: number, isAhead: boolean): Plan {
  const chance = new Chance(seed).derive('plan')
  const mood = chance.pick<Mood>(['calm', 'busy', 'fragile', ...Array<Mood>(9).fill('troubled')])
  const isTroubled = mood === 'troubled'
  const setting = {
    mood,
    isTroubled,
    /** Server and edge allow few connections. */
    isTight: isTroubled && chance.happens(0.35),
    isAhead: chance.happens(0.35) || isAhead,
  }
  const users = allUsers.slice(0, chance.pick([1, 2, 2, 3, 5]))
  const count = chance.pick(mood === 'busy' ? [60] : [20, 60, 100, 100])
  /** How often clients use the second password. */
  const twoSecrets = chance.pick([0, 0, 0.1, 0.5])
  /** How often clients know a changed password. */
  const latest = chance.pick([0.2, 0.5])
  const clients = Array.from({ length: count }, (_, index): PlannedClient => {
    const own = chance.derive(`client ${index}`)
    return {
      number: index + 1,
      // Some clients connect together, like the requests of one page.
      at: own.happens(0.4) ? own.below(8) * 5000 : own.below(troubledMs),
      user: own.pick(users),
      secret: own.happens(twoSecrets)
        ? 1
        : own.happens(latest)
          ? 'latest'
          : own.pick([0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
      family: isTroubled && own.happens(0.12) ? wildFamily : own.pick(families),
    }
  })
  const faults = isTroubled
    ? Array.from({ length: chance.pick([1, 2, 4, 8, 16, 32]) }, (_, index): PlannedFault => {
        const own = chance.derive(`fault ${index}`)
        return { index, kind: own.pick(drawn), at: own.below(troubledMs) }
      })
    : []
  return {
    seed,
    mood,
    config: configOf(chance, setting),
    traits: traitsOf(chance, setting),
    users,
    clients,
    faults,
    stepsMax: mood === 'busy' ? 1 : 100,
    hasBigMail: isTroubled && chance.happens(0.08),
  }
}

function restartPlanOf(seed: number, count: number, isAhead: boolean): Plan {
  const chance = new Chance(seed).derive('restart')
  const setting = {
    mood: 'restart' as const,
    isTroubled: false,
    isTight: false,
    isAhead: chance.happens(0.3) || isAhead,
  }
  const { upstreams, clients, pool } = configOf(chance, setting)
  return {
    seed,
    mood: 'restart',
    config: {
      upstreams: {
        main: {
          ...upstreams.main,
          hosts: ['mail12.example'],
          roundRobin: chance.happens(0.5),
          connectsMax: chance.pick([2, 8, 30]),
          connectionsMax: chance.pick([Math.ceil(count / 3), count * 2]),
          queueMax: chance.pick([20, count]),
        },
      },
      clients: { ...clients, connectionsMax: 100_000 },
      pool,
    },
    traits: { ...traitsOf(chance, setting), totalLimit: chance.pick([Math.ceil(count / 3), 100_000]) },
    users: allUsers,
    clients: Array.from({ length: count }, (_, index): PlannedClient => {
      const own = chance.derive(`client ${index}`)
      return {
        number: index + 1,
        at: own.below(restartAtMs),
        user: own.pick(allUsers),
        secret: 0,
        family: own.pick(families),
      }
    }),
    faults: [
      { index: 0, kind: 'restart', at: restartAtMs },
      { index: 1, kind: 'memory', at: restartAtMs + chance.below(5000) },
      ...(chance.happens(0.5)
        ? [{ index: 2, kind: 'fail-logins' as const, at: restartAtMs + chance.below(15_000) }]
        : []),
    ],
    stepsMax: 1,
    hasBigMail: false,
  }
}

interface Setting {
  mood: Mood
  isTroubled: boolean
  isTight: boolean
  isAhead: boolean
}

function traitsOf(chance: Chance, { mood, isTroubled, isTight }: Setting): ServerTraits {
  return {
    hasUnselect: chance.happens(0.75),
    capabilitiesAfterLogin: chance.pick(['code', 'code', 'untagged', 'asked']),
    greetsWithCapabilities: chance.happens(0.6),
    refusedSelectKeeps: chance.happens(0.5),
    hasId: chance.happens(0.7),
    hasCondstore: chance.happens(0.7),
    reorders: chance.happens(0.5),
    userLimit: isTight ? chance.pick([2, 4, 10, 1000]) : 1000,
    totalLimit: isTight ? chance.pick([6, 20, 1000]) : 1000,
    slowestMs: chance.pick([0, 5, 100, isTroubled ? 1500 : 100]),
    tellsUnasked: chance.happens(0.5),
    autologoutMs: isTroubled ? chance.pick([10_000, 1_800_000, 1_800_000]) : 10_000_000,
    lieRate: isTroubled ? chance.pick([0, 0, 0.01, 0.04]) : 0,
    resetLieRate: mood === 'fragile' ? 0.1 : isTroubled ? chance.pick([0, 0, 0.1]) : 0,
    unselectRefusalRate: isTroubled ? chance.pick([0, 0.3]) : 0,
    examinesWritable: isTroubled && chance.happens(0.2),
    greetsAfterLogin: chance.happens(0.3),
  }
}

/** Short times and small limits, so that a world reaches every timer and every limit. */
function configOf(chance: Chance, { mood, isTroubled, isTight, isAhead }: Setting) {
  const isBusy = mood === 'busy'
  return {
    upstreams: {
      main: {
        hosts: chance.happens(0.5) ? ['10.0.0.1'] : ['mail1.example'],
        connectTimeoutMs: 2000,
        connectAttempts: chance.pick([1, 2]),
        connectDelayMs: 100,
        loginTimeoutMs: 4000,
        connectsMax: chance.pick([1, 4, 100]),
        connectionsMax: isBusy ? chance.pick([5, 6]) : isTight ? chance.pick([4, 10, 1000]) : 1000,
        connectionsPerUserMax: isTight ? chance.pick([0, 1, 2, 4]) : isTroubled ? chance.pick([0, 0, 8]) : 0,
        connectionsSpareMax: chance.pick([0, 2, 64]),
        connectionsPerUserSpareMax: chance.pick([0, 1, 2]),
        queueMax: isTroubled ? chance.pick([0, 2, 100]) : 100,
        queueTimeoutMs: isBusy ? 14_000 : chance.pick([500, 5000]),
        healthIntervalMs: chance.pick([0, 3000]),
        healthChecks: chance.pick(['when-down', 'when-quiet']),
        breakerFailures: chance.pick([0, 2, 5]),
        breakerCooldownMs: 2000,
        clientAddress: chance.pick(['none', 'id']),
        ahead: isAhead ? 'on' : chance.pick(['off', 'off', 'learn']),
        aheadRoundTripMinMs: 0,
      },
    },
    clients: {
      loginTimeoutMs: isTroubled ? chance.pick([15_000, 40_000]) : 15_000,
      idleTimeoutMs: 60_000,
      lineBytesMax: chance.pick([512, 65_536]),
      connectionsMax: isTight ? chance.pick([10, 1000, 1000]) : 1000,
      loginFailuresMax: chance.pick([1, 3]),
    },
    pool: {
      idleTimeoutMs: chance.pick([3000, 20_000, 300_000, 300_000]),
      lifetimeMaxMs: chance.pick([10_000, 3_600_000, 3_600_000, 3_600_000]),
      usesMax: chance.pick([1, 3, ...Array.from({ length: 10 }, () => 1000)]),
      proveIdleAfterMs: chance.pick([0, 1500, 60_000]),
      replyTimeoutMs: chance.pick([1000, 5000]),
      resetTimeoutMs: isTroubled ? chance.pick([500, 3000]) : mood === 'fragile' ? 500 : 10_000,
      resetBytesMax: chance.pick([1024, 16_384, 1_048_576]),
      selectCache: chance.pick(['off', 'off', 'exact']),
      answerCapability: chance.happens(0.7),
      answerId: chance.happens(0.7),
    },
  }
}
