/** An address to a greeted server, TLS or STARTTLS included; one deadline for all of it. */
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { parseCapabilities } from '../imap/capability.ts'
import { endOf } from '../net/transport.ts'
import { dialSocket, dialTcp, opened } from '../net/dial-tcp.ts'
import { Link } from '../net/link.ts'
import { overSocket } from '../net/socket-transport.ts'
import { Exchange, type Broken } from './exchange.ts'
import type { Address } from './resolve.ts'
import type { Preamble, Server } from './server.ts'

export interface Dialed {
  kind: 'dialed'
  link: Link
  exchange: Exchange
  /** What the server can do before login. */
  capabilities: string[]
}

export interface DialFailure {
  kind: 'dial-failed'
  reason: Broken['reason'] | 'unresolved' | 'refused' | 'starttls-not-offered'
  detail: string
}

/** Tries each address once. `preamble` goes out before anything else (a PROXY header). */
export async function dial(server: Server, preamble?: Preamble): Promise<Dialed | DialFailure> {
  let addresses: Address[]
  try {
    addresses = await server.resolver.resolve(server.config)
  } catch (error) {
    return {
      kind: 'dial-failed',
      reason: 'unresolved',
      detail: `${server.config.hosts.join(', ')}: ${codeOf(error)}`,
    }
  }
  let failure: DialFailure | undefined
  for (const address of addresses) {
    const dialed = await dialAddress(server, address, preamble)
    if (dialed.kind === 'dialed') return dialed
    failure = dialed
  }
  return failure!
}

async function dialAddress(
  server: Server,
  address: Address,
  preamble?: Preamble,
): Promise<Dialed | DialFailure> {
  const { config } = server
  const place = `${address.host} port ${config.port}`
  const budget = new AbortController()
  const timer = setTimeout(() => budget.abort(), config.connectTimeoutMs)
  let exchange: Exchange | undefined
  budget.signal.addEventListener('abort', () => exchange?.break('timed-out'))
  const failed = (reason: DialFailure['reason'], detail: string): DialFailure => ({
    kind: 'dial-failed',
    reason,
    detail: `${place}: ${detail}`,
  })
  try {
    const link = await openLink(server, address, preamble, budget.signal)
    exchange = new Exchange(link)
    const greeting = await exchange.greeting()
    if (greeting.kind === 'broken') return failed(greeting.reason, greeting.detail ?? greeting.reason)
    let capabilities = capabilitiesIn(greeting.text) ?? (await askCapabilities(exchange))
    if (config.tls === 'starttls' || config.tls === 'opportunistic') {
      const offered = capabilities?.includes('STARTTLS')
      if (!offered && config.tls === 'starttls') {
        exchange.break('closed-here')
        return failed('starttls-not-offered', 'the server offers no STARTTLS')
      }
      if (offered) {
        const reply = await exchange.command('STARTTLS')
        if (reply.kind === 'broken') return failed(reply.reason, reply.detail ?? reply.reason)
        const raw = link.detach()
        // RFC 9051 6.2.1: what was sent in the clear after the reply is not the server's word.
        if (reply.status !== 'OK' || !exchange.isQuiet || raw.readableLength > 0) {
          exchange.break('not-imap')
          return failed('not-imap', 'STARTTLS was not answered cleanly')
        }
        link.attach(overSocket(await openTls(raw, server, address, budget.signal)))
        exchange.takeOver()
        capabilities = await askCapabilities(exchange)
      }
    }
    if (!capabilities) {
      exchange.break('not-imap')
      return failed('not-imap', 'CAPABILITY was not answered')
    }
    return { kind: 'dialed', link, exchange, capabilities }
  } catch (error) {
    const timedOut = budget.signal.aborted
    return failed(timedOut ? 'timed-out' : reasonOf(error), timedOut ? 'no greeting in time' : codeOf(error))
  } finally {
    clearTimeout(timer)
  }
}

/** A link on which the greeting is awaited, TLS from the first byte included. */
async function openLink(
  server: Server,
  address: Address,
  preamble: Preamble | undefined,
  signal: AbortSignal,
): Promise<Link> {
  const { histograms, config } = server
  const { port, keepAlive, tls } = config
  const destination = { host: address.address, port, keepAlive }
  if (tls === 'none') {
    const { open, ends } = await histograms.upstream_connect_seconds.measure(dialTcp(destination, signal))
    const link = new Link(open)
    if (preamble) link.write(preamble(ends))
    return link
  }
  const socket = await histograms.upstream_connect_seconds.measure(dialSocket(destination, signal))
  if (preamble) socket.write(preamble(socket))
  return new Link(overSocket(tls === 'implicit' ? await openTls(socket, server, address, signal) : socket))
}

function openTls(raw: Socket, server: Server, address: Address, signal: AbortSignal): Promise<Socket> {
  const { config, tls } = server
  const name = config.serverName ?? address.host
  const ticket = tls.tickets.get(name)
  const socket = connectTls({
    ...(tls.context && { secureContext: tls.context }),
    socket: raw,
    rejectUnauthorized: config.verify,
    // SNI takes names only (RFC 6066 3); the name is verified all the same.
    ...(isIP(name) ? {} : { servername: name }),
    host: name,
    ...(ticket && { session: ticket }),
  })
  socket.on('session', (fresh: Buffer) => tls.tickets.set(name, fresh))
  return server.histograms.upstream_tls_seconds.measure(opened(socket, 'secureConnect', signal))
}

async function askCapabilities(exchange: Exchange): Promise<string[] | undefined> {
  const reply = await exchange.command('CAPABILITY')
  if (reply.kind === 'broken' || reply.status !== 'OK') return undefined
  const line = reply.untagged.find((text) => /^\* CAPABILITY /i.test(text))
  return line === undefined ? undefined : parseCapabilities(line.slice(2))
}

/** The list in a response code, such as a greeting's `[CAPABILITY …]`. */
export function capabilitiesIn(text: string): string[] | undefined {
  const match = /\[CAPABILITY ([^\]]*)\]/i.exec(text)
  return match ? parseCapabilities(match[1]!) : undefined
}

/** What went wrong, for an operator. Node's own advice on certificates is left out: it is for whoever starts Node. */
function codeOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const first = message.split(';')[0]!
  const text = code && !first.includes(code) ? `${first} (${code})` : first
  return isVerification(error) ? `${text}: name its authority by caFile, or its name by serverName` : text
}

function reasonOf(error: unknown): DialFailure['reason'] {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'refused'
  if (syscall !== undefined || /^E[A-Z]+$/.test(code)) return endOf(code)
  return code === '' ? 'closed-by-peer' : 'tls-failed'
}

/** OpenSSL's verdicts have codes without a prefix, such as CERT_HAS_EXPIRED; a wrong name has one of Node's. */
function isVerification(error: unknown): boolean {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  return syscall === undefined && /^(?!ERR_)[A-Z0-9_]+$|^ERR_TLS_CERT/.test(code) && !/^E[A-Z]+$/.test(code)
}
