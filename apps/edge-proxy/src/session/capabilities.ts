/** What a client is shown before its login says which server it goes to: what holds at all where it may end up. */
import { beforeLogin, commonCapabilities, printCapabilities, type BeforeLogin } from '../imap/capability.ts'
import { mechanisms, type Mechanism } from '../imap/sasl.ts'
import type { Server } from '../server/server.ts'

/** A token is no use at a server that takes none; a password is said to each server in the form that it takes. */
export const offeredMechanisms = (servers: readonly Server[]): readonly Mechanism[] =>
  mechanisms.filter(
    (name) =>
      name === 'PLAIN' ||
      name === 'LOGIN' ||
      servers.every((server) => server.mechanisms?.includes(name) ?? true),
  )

type Own = Omit<BeforeLogin, 'mechanisms'>

interface Printed {
  of: readonly unknown[]
  text: string
}

/** More than there are kinds of clients of one listener; what nobody asks for any more gives way. */
const variantsMax = 8

/** The lists as they are shown: each client gets one, so each is printed only when what it is made of has changed. */
export class Offers {
  readonly #printed = new Map<string, Printed[]>()

  /** @param targets where clients of this listener may end up */
  list(listener: string, servers: readonly Server[], own: Own): string {
    const of: unknown[] = [own.offerStartTls, own.loginDisabled, own.adminCommands]
    for (const { capabilities, mechanisms: known } of servers) of.push(capabilities, known)
    let variants = this.#printed.get(listener)
    if (!variants) this.#printed.set(listener, (variants = []))
    for (const variant of variants) if (isSame(variant.of, of)) return variant.text
    const server = commonCapabilities(servers.map(({ capabilities }) => capabilities))
    const text = printCapabilities(beforeLogin(server, { mechanisms: offeredMechanisms(servers), ...own }))
    if (variants.push({ of, text }) > variantsMax) variants.shift()
    return text
  }
}

function isSame(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false
  for (let at = 0; at < one.length; at++) if (one[at] !== other[at]) return false
  return true
}
