/** The capability list before login: what every server offers that the client may be routed to, and what the edge adds. */
import { beforeLogin, commonCapabilities, type BeforeLogin } from '../imap/capability.ts'
import { mechanisms, type Mechanism } from '../imap/sasl.ts'
import type { Server } from '../server/server.ts'

/**
 * Those that every server offers, as far as its list is known. A client can always use LOGIN and AUTHENTICATE PLAIN, also
 * before a server that offers only the other one; but a mechanism that is not offered directly is not offered here either:
 * PHP's c-client warns its user of AUTH=PLAIN without TLS.
 */
export const offeredMechanisms = (servers: readonly Server[]): readonly Mechanism[] =>
  mechanisms.filter((name) => servers.every((server) => server.mechanisms?.includes(name) ?? true))

type ListOptions = Omit<BeforeLogin, 'mechanisms'>

interface PrintedList {
  /** Everything that the text depends on. */
  readonly inputs: readonly unknown[]
  readonly text: string
}

/** Exceeds the combinations of the three flags in use. The oldest is removed. */
const listsPerListenerMax = 8

/** Lists as they are sent. Every client gets one, so a list is printed only when one of its inputs has changed. */
export class CapabilityLists {
  readonly #byListener = new Map<string, PrintedList[]>()

  /** @param servers those that clients of this listener may be routed to */
  list(listener: string, servers: readonly Server[], options: ListOptions): string {
    const inputs: unknown[] = [options.offerStartTls, options.loginDisabled, options.adminCommands]
    for (const server of servers) inputs.push(server.capabilities, server.mechanisms)
    let lists = this.#byListener.get(listener)
    if (!lists) this.#byListener.set(listener, (lists = []))
    for (const list of lists) if (isSame(list.inputs, inputs)) return list.text
    const common = commonCapabilities(servers.map(({ capabilities }) => capabilities))
    const text = beforeLogin(common, { mechanisms: offeredMechanisms(servers), ...options }).join(' ')
    if (lists.push({ inputs, text }) > listsPerListenerMax) lists.shift()
    return text
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}
