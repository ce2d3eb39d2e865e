/** The capability list before login: what all servers offer to which the client may be routed, and what the edge adds. */
import { beforeLogin, commonCapabilities, type BeforeLogin } from '../imap/capability.ts'
import { mechanisms, type Mechanism } from '../imap/sasl.ts'
import type { Server } from '../server/server.ts'

/**
 * The mechanisms that all servers offer, as far as their lists are known. Clients can use both LOGIN and AUTHENTICATE PLAIN, even
 * if the server offers only one of them. But the list has only mechanisms that the server lists, because PHP's c-client warns
 * users of AUTH=PLAIN without TLS.
 */
export const offeredMechanisms = (servers: readonly Server[]): readonly Mechanism[] =>
  mechanisms.filter((name) => servers.every((server) => server.mechanisms?.includes(name) ?? true))

type ListOptions = Omit<BeforeLogin, 'mechanisms'>

interface PrintedList {
  /** All values that the text depends on. */
  readonly inputs: readonly unknown[]
  readonly text: string
}

/** More than the combinations of the three flags in use. The oldest list is removed. */
const listsPerListenerMax = 8

/** A cache of printed lists. Every client gets a list, so it is printed only after one of its inputs has changed. */
export class CapabilityLists {
  readonly #byListener = new Map<string, PrintedList[]>()

  /** @param servers the servers to which clients of this listener may be routed */
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
