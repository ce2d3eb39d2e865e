/** Opens a connection to a server: tries its addresses in turn, those that do not answer at present last. */
import { runtime } from '../runtime.ts'
import { dialAddress, type DialAbandoned, type Dialed, type DialFailure } from './dial-address.ts'
import type { Preamble, Server } from './server.ts'

/**
 * One attempt: tries each address of the server at most once, all within `connectTimeoutMs`. A silent address uses only its
 * share of the time, so that the next ones have theirs.
 * @param signal abandons the dial
 * @param preamble sent before everything else (a PROXY header)
 */
export async function dial(
  server: Server,
  signal: AbortSignal,
  preamble?: Preamble,
): Promise<Dialed | DialFailure | DialAbandoned> {
  const { config, resolver, addresses } = server
  const endsAt = runtime.now() + config.connectTimeoutMs
  const timeLeft = () => endsAt - runtime.now()
  const round = server.beginRound()
  const tried = new Set<string>()
  const failures: DialFailure[] = []
  resolver.refresh(config)
  while (!signal.aborted) {
    const rest = server.addressesInRound(round).filter(({ address }) => !tried.has(address))
    const [next] = rest
    if (next && (failures.length === 0 || timeLeft() > 0)) {
      tried.add(next.address)
      const sharing = addresses.isDown(next) ? rest : rest.filter((address) => !addresses.isDown(address))
      const dialed = await dialAddress(server, next, {
        signal,
        preamble,
        timeoutMs: timeLeft() / sharing.length,
      })
      if (dialed.kind !== 'dial-failed') return dialed
      failures.push(dialed)
    } else if (next || !(await resolver.nextAnswer(config, timeLeft(), signal)))
      return failures.length > 0 ? joined(failures, server) : unresolved(server)
  }
  return { kind: 'abandoned' }
}

/** The last reason, the details of all, and what all servers said. */
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
