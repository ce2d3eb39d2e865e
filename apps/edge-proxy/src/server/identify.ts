/** Requests a server's answer to ID, for clients that send ID before the edge knows the answer from a login. */
import { offers } from '../imap/capability.ts'
import { startDeadline } from '../net/deadline.ts'
import { runtime } from '../runtime.ts'
import { dial } from './dial.ts'
import type { Dialed } from './dial-address.ts'
import type { Server } from './server.ts'

/** After a request that failed, the next one is made after this time. */
const askAgainAfterMs = 10_000

const lastAsked = new WeakMap<Server, { readonly at: number; readonly done: Promise<void> }>()

/**
 * Settles when the server has answered, or cannot be asked now. Simultaneous calls share one connection.
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
 * Learns the server's capabilities and its answer to ID before login, and closes the connection.
 * @param signal closes the connection immediately
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
  // The reply is not awaited.
  void exchange.command('LOGOUT')
  link.closeWhenWritten(1000)
}
