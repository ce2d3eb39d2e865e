/** What a world consists of, drawn from its seed. A plan can be reduced, to find the smallest one that still fails. */
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
] as const
export type FaultKind = (typeof faultKinds)[number]

/** Those about trust happen more often than each of the others. */
const drawn: readonly FaultKind[] = [
  ...faultKinds,
  'purge',
  'revoke',
  'revoke',
  'change-secret',
  'change-secret',
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
  /** Which of the user's passwords: the first two are valid at the start, the third never is. */
  readonly secret: number
  readonly family: string
}

export interface Plan {
  readonly seed: number
  /** Nothing goes wrong. */
  readonly isCalm: boolean
  readonly config: Layer
  readonly traits: ServerTraits
  readonly users: readonly string[]
  readonly clients: readonly PlannedClient[]
  readonly faults: readonly PlannedFault[]
  /** Pages of each client, at most. */
  readonly stepsMax: number
}

/** How long faults happen. */
export const troubledMs = 40_000

/** What is left of a plan: the numbers of clients and faults, and the pages of each client. */
export interface Reduction {
  readonly clients?: readonly number[] | undefined
  readonly faults?: readonly number[] | undefined
  readonly steps?: number | undefined
}

export function planOf(seed: number, { clients, faults, steps }: Reduction = {}): Plan {
  const plan = wholePlanOf(seed)
  return {
    ...plan,
    clients: plan.clients.filter(({ number }) => clients?.includes(number) ?? true),
    faults: plan.faults.filter(({ index }) => faults?.includes(index) ?? true),
    stepsMax: steps ?? plan.stepsMax,
  }
}

function wholePlanOf(seed: number): Plan {
  const chance = new Chance(seed).derive('plan')
  const isCalm = chance.happens(0.15)
  /** Server and edge allow few connections. */
  const isTight = !isCalm && chance.happens(0.35)
  const users = allUsers.slice(0, chance.pick([1, 2, 2, 3, 5]))
  const count = chance.pick([20, 60, 100, 100])
  /** How often clients use the second password. */
  const twoSecrets = chance.pick([0, 0, 0.1, 0.5])
  const clients = Array.from({ length: count }, (_, index): PlannedClient => {
    const own = chance.derive(`client ${index}`)
    return {
      number: index + 1,
      // Some come together, as the requests of one page do.
      at: own.happens(0.4) ? own.below(8) * 5000 : own.below(troubledMs),
      user: own.pick(users),
      secret: own.happens(twoSecrets) ? 1 : own.pick([0, 0, 0, 0, 0, 0, 0, 0, 0, 2]),
      family: !isCalm && own.happens(0.12) ? wildFamily : own.pick(families),
    }
  })
  const faults = isCalm
    ? []
    : Array.from({ length: chance.pick([1, 2, 4, 8, 16, 32]) }, (_, index): PlannedFault => {
        const own = chance.derive(`fault ${index}`)
        return { index, kind: own.pick(drawn), at: own.below(troubledMs) }
      })
  return {
    seed,
    isCalm,
    config: configOf(chance, { isCalm, isTight }),
    traits: traitsOf(chance, { isCalm, isTight }),
    users,
    clients,
    faults,
    stepsMax: 100,
  }
}

interface Mood {
  isCalm: boolean
  isTight: boolean
}

function traitsOf(chance: Chance, { isCalm, isTight }: Mood): ServerTraits {
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
    slowestMs: chance.pick([0, 5, 100, isCalm ? 100 : 1500]),
    tellsUnasked: chance.happens(0.5),
    autologoutMs: isCalm ? 10_000_000 : chance.pick([10_000, 1_800_000, 1_800_000]),
    lieRate: isCalm ? 0 : chance.pick([0, 0, 0.01, 0.04]),
  }
}

/** Short times and small limits, so that a world reaches every timer and every bound. */
function configOf(chance: Chance, { isCalm, isTight }: Mood): Layer {
  return {
    upstreams: {
      main: {
        hosts: chance.happens(0.5) ? ['10.0.0.1'] : ['mail1.example'],
        connectTimeoutMs: 2000,
        connectAttempts: chance.pick([1, 2]),
        connectDelayMs: 100,
        loginTimeoutMs: 4000,
        connectionsMax: isTight ? chance.pick([4, 10, 1000]) : 1000,
        connectionsPerUserMax: isTight ? chance.pick([0, 1, 2, 4]) : isCalm ? 0 : chance.pick([0, 0, 8]),
        connectionsSpareMax: chance.pick([0, 2, 64]),
        connectionsPerUserSpareMax: chance.pick([0, 1, 2]),
        queueMax: isCalm ? 100 : chance.pick([0, 2, 100]),
        queueTimeoutMs: chance.pick([500, 5000]),
        healthIntervalMs: chance.pick([0, 3000]),
        healthChecks: chance.pick(['when-down', 'when-quiet']),
        breakerFailures: chance.pick([0, 2, 5]),
        breakerCooldownMs: 2000,
        clientAddress: chance.pick(['none', 'id']),
      },
    },
    clients: {
      loginTimeoutMs: 15_000,
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
      resetTimeoutMs: chance.pick([500, 3000]),
      resetBytesMax: chance.pick([1024, 1_048_576]),
      selectCache: chance.pick(['off', 'off', 'exact']),
      answerCapability: chance.happens(0.7),
      answerId: chance.happens(0.7),
    },
  }
}
