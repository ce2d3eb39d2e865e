/** Asks a server for its answer to ID, for clients that ask before any login has told the edge. */
import { offers } from '../imap/capability.ts'
import { startDeadline } from '../net/deadline.ts'
import { runtime } from '../runtime.ts'
import { dial } from './dial.ts'
import type { Dialed } from './dial-address.ts'
import type { Server } from './server.ts'

/** A server that cannot be asked is asked again after this time. */
const askAgainAfterMs = 10_000

const lastAsked = new WeakMap<Server, { readonly at: number; readonly done: Promise<void> }>()

/**
 * Settles when the server was asked, or cannot be asked now. One connection serves all that ask at the same time.
 * @param signal ends the attempt
 */
export function identify(server: Server, signal: AbortSignal): Promise<void> {
  const last = lastAsked.get(server)
  if (last && runtime.now() - last.at < askAgainAfterMs) return last.done
  if (server.isPaused || server.downReason !== undefined) return Promise.resolve()
  const done = ask(server, signal)
  lastAsked.set(server, { at: runtime.now(), done })
  return done
}

async function ask(server: Server, signal: AbortSignal): Promise<void> {
  const dialed = await dial(server, signal, server.proxyHeader())
  if (dialed.kind === 'dialed') await learnAndClose(server, dialed, signal)
}

/**
 * Learns what a server says before a login, for clients that ask before theirs, and closes the connection.
 * @param signal closes it at once
 */
export async function learnAndClose(
  server: Server,
  { exchange, link, capabilities }: Dialed,
  signal: AbortSignal,
): Promise<void> {
  server.learnBeforeLogin(capabilities)
  if (offers(capabilities, 'ID')) {
    const giveUp = () => exchange.fail('timed-out')
    const cancelDeadline = startDeadline(server.config.connectTimeoutMs, giveUp)
    signal.addEventListener('abort', giveUp)
    const reply = await exchange.command('ID NIL')
    cancelDeadline()
    signal.removeEventListener('abort', giveUp)
    if (reply.kind === 'reply') server.identification.learnBeforeLogin(reply.untagged)
  }
  // Only a courtesy: its reply is not awaited.
  void exchange.command('LOGOUT')
  link.closeWhenWritten(1000)
}
