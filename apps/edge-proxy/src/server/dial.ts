/** Opens a connection to a server: tries its addresses in order. Addresses that are down come last. */
import { runtime } from '../runtime.ts'
import { dialAddress, type DialAbandoned, type Dialed, type DialFailure } from './dial-address.ts'
import type { Preamble, Server } from './server.ts'
import type { DialPlace } from './shortage.ts'

/** How a login waits for its turn at each address. Health checks do not wait, because they run one at a time. */
export interface DialTurns {
  readonly place: DialPlace
  /** Whether the circuit breaker allows the attempt, after the wait for its turn. */
  readonly isAllowed: () => boolean
}

/**
 * One attempt: tries each address of the server at most once, all within `connectTimeoutMs`. An address that does not answer uses
 * only its share of the time. Time during which the attempt waits for its turn does not count.
 * @param signal abandons the dial
 * @param preamble sent before everything else (a PROXY header)
 */
export async function dial(
  server: Server,
  signal: AbortSignal,
  preamble?: Preamble,
  turns?: DialTurns,
): Promise<Dialed | DialFailure | DialAbandoned> {
  const { config, resolver, addresses, gate } = server
  let endsAt = runtime.now() + config.connectTimeoutMs
  const timeLeft = () => endsAt - runtime.now()
  const round = server.beginRound(turns ? 'login' : 'check')
  const tried = new Set<string>()
  const failures: DialFailure[] = []
  resolver.refresh(config)
  while (!signal.aborted) {
    const rest = server.addressesInRound(round).filter(({ address }) => !tried.has(address))
    const [next] = rest
    if (next && (failures.length === 0 || timeLeft() > 0)) {
      if (turns) {
        const askedAt = runtime.now()
        const wasLast = addresses.isLast(next, round.trials)
        const isEntered = await turns.place.wait((end) => gate.enter(next, config.connectsMax, end))
        endsAt += runtime.now() - askedAt
        // The results of other attempts in the meantime apply to this one.
        const isOver = turns.place.isOver || !isEntered
        const isAllowed = !isOver && turns.isAllowed()
        if (!isAllowed || (addresses.isLast(next, round.trials) && !wasLast)) {
          if (isEntered) gate.leave(next)
          if (isOver) return { kind: 'abandoned' }
          if (isAllowed) continue
          return failures.length > 0 ? joined(failures, server) : breakerOpen(server)
        }
      }
      tried.add(next.address)
      const sharing = addresses.isDown(next) ? rest : rest.filter((address) => !addresses.isDown(address))
      const timeoutMs = timeLeft() / sharing.length
      const dialing = dialAddress(server, next, { signal, preamble, timeoutMs })
      const leaveTurn = turns && once(() => gate.leave(next))
      const dialed = await dialing.catch((error: unknown) => {
        leaveTurn?.()
        throw error
      })
      if (dialed.kind === 'dialed') return leaveTurn ? { ...dialed, leaveTurn } : dialed
      leaveTurn?.()
      if (dialed.kind === 'abandoned') return dialed
      failures.push(dialed)
    } else if (next || !(await resolver.nextAnswer(config, timeLeft(), signal)))
      return failures.length > 0 ? joined(failures, server) : unresolved(server)
  }
  return { kind: 'abandoned' }
}

export const breakerOpen = ({ downReason }: Server): DialFailure => ({
  kind: 'dial-failed',
  reason: 'breaker-open',
  detail: downReason ?? 'the circuit breaker is open',
})

/** The action, which runs at the first call only. */
export function once(action: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) action()
    isDone = true
  }
}

/** Joins failures: the last reason, and the details and lines of all. */
function joined(failures: readonly DialFailure[], { config, resolver }: Server): DialFailure {
  const names = resolver.failures(config).values()
  const detail = [...failures.map((failure) => failure.detail), ...names].join('; ')
  const said = failures.flatMap((failure) => failure.said ?? [])
  return { ...failures.at(-1)!, detail: detail.slice(0, 2000), ...(said.length > 0 && { said }) }
}

function unresolved({ config, resolver }: Server): DialFailure {
  const failures = [...resolver.failures(config).values()].join('; ')
  const detail = failures || `${config.hosts.join(', ')}: the name server has not answered`
  return { kind: 'dial-failed', reason: 'unresolved', detail }
}
