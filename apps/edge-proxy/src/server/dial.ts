/** Opens a connection to a server, up to its greeting and capabilities, TLS or STARTTLS included. One deadline covers all of it. */
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { capabilitiesIn, lastCapabilities, offers } from '../imap/capability.ts'
import { dialSocket, dialTcp, socketReady } from '../net/dial-tcp.ts'
import { Link } from '../net/link.ts'
import { dialErrorReason, dialErrorText } from '../net/socket-errors.ts'
import { overSocket } from '../net/socket-transport.ts'
import { Exchange, type ExchangeFailure } from './exchange.ts'
import type { Address } from './resolver.ts'
import type { Preamble, Server } from './server.ts'

export interface Dialed {
  kind: 'dialed'
  link: Link
  exchange: Exchange
  /** The server's list before login. */
  capabilities: string[]
  /** What the server has said to people: untagged status lines, and a greeting with an ALERT or the like. */
  said: string[]
}

export interface DialFailure {
  kind: 'dial-failed'
  reason: ExchangeFailure['reason'] | 'unresolved' | 'refused' | 'starttls-not-offered'
  /** For operators, with the address. */
  detail: string
  /** Untagged lines of the server, a BYE included. Absent: there were none. */
  said?: readonly string[]
}

/** The signal was aborted, and no connection is left. */
export interface DialAbandoned {
  kind: 'abandoned'
}

/**
 * Tries each address of the server once.
 * @param signal abandons the dial
 * @param preamble sent before everything else (a PROXY header)
 */
export async function dial(
  server: Server,
  signal: AbortSignal,
  preamble?: Preamble,
): Promise<Dialed | DialFailure | DialAbandoned> {
  let addresses: Address[]
  try {
    addresses = await server.resolver.resolve(server.config)
  } catch (error) {
    const detail = `${server.config.hosts.join(', ')}: ${dialErrorText(error)}`
    return { kind: 'dial-failed', reason: 'unresolved', detail }
  }
  let failure: DialFailure | undefined
  for (const address of addresses) {
    const dialed = await dialAddress(server, address, signal, preamble)
    if (signal.aborted) {
      if (dialed.kind === 'dialed') dialed.exchange.fail('closed-here')
      return { kind: 'abandoned' }
    }
    if (dialed.kind === 'dialed') return dialed
    failure = dialed
  }
  return failure!
}

async function dialAddress(
  server: Server,
  address: Address,
  signal: AbortSignal,
  preamble?: Preamble,
): Promise<Dialed | DialFailure> {
  const { config } = server
  const deadline = new AbortController()
  const onAbandoned = () => deadline.abort()
  const timer = setTimeout(onAbandoned, config.connectTimeoutMs)
  signal.addEventListener('abort', onAbandoned)
  let exchange: Exchange | undefined
  deadline.signal.addEventListener('abort', () => exchange?.fail('timed-out'))
  if (signal.aborted) onAbandoned()
  const failed = (reason: DialFailure['reason'], detail: string): DialFailure => ({
    kind: 'dial-failed',
    reason,
    detail: `${address.host} port ${config.port}: ${detail}`,
  })
  /** Without the required TLS, what the server says may be forged: it is for the log only. */
  let mayBeForged = config.tls === 'starttls'
  const ended = ({ reason, detail, said }: ExchangeFailure): DialFailure => ({
    ...failed(reason, detail ?? reason),
    ...(said && !mayBeForged && { said }),
  })
  try {
    const link = await openLink(server, address, preamble, deadline.signal)
    exchange = new Exchange(link)
    const greeting = await exchange.greeting()
    if (greeting.kind === 'failed') return ended(greeting)
    let said = [greeting.text].filter(isForPeople)
    let capabilities = capabilitiesIn(greeting.text) ?? (await askCapabilities(exchange, said))
    if (config.tls === 'starttls' || config.tls === 'opportunistic') {
      const isOffered = capabilities !== undefined && offers(capabilities, 'STARTTLS')
      if (!isOffered && config.tls === 'starttls') {
        exchange.fail('closed-here')
        return failed('starttls-not-offered', 'the server offers no STARTTLS')
      }
      if (isOffered) {
        const reply = await exchange.command('STARTTLS')
        if (reply.kind === 'failed') return ended(reply)
        const raw = link.detach()
        // Data behind the reply was not sent under TLS, so it is not known to be the server's (RFC 9051 6.2.1).
        if (reply.status !== 'OK' || !exchange.isQuiet || raw.readableLength > 0) {
          exchange.fail('not-imap')
          return failed('not-imap', 'the server refused STARTTLS, or sent data behind its reply')
        }
        link.attach(overSocket(await openTls(raw, server, address, deadline.signal)))
        said = []
        mayBeForged = false
        capabilities = await askCapabilities(exchange, said)
      }
    }
    if (!capabilities) {
      if (exchange.failure) return ended(exchange.failure)
      exchange.fail('not-imap')
      return failed('not-imap', 'the server did not answer CAPABILITY')
    }
    return { kind: 'dialed', link, exchange, capabilities, said }
  } catch (error) {
    return deadline.signal.aborted
      ? failed('timed-out', 'no connection within connectTimeoutMs')
      : failed(dialErrorReason(error), dialErrorText(error))
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', onAbandoned)
  }
}

/** A link to the server before its greeting, with TLS if that comes first. */
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
    const dialing = dialTcp(destination, signal)
    const { open, addresses } = await histograms.upstream_connect_seconds.measure(dialing)
    const link = new Link(open)
    if (preamble) link.write(preamble(addresses))
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
    // SNI has no addresses (RFC 6066 3). Node verifies `host`, name or address, against the certificate.
    ...(isIP(name) ? {} : { servername: name }),
    host: name,
    ...(ticket && { session: ticket }),
  })
  socket.on('session', (fresh: Buffer) => tls.tickets.set(name, fresh))
  return server.histograms.upstream_tls_seconds.measure(socketReady(socket, 'secureConnect', signal))
}

/** @param said gets what the server says to people besides its answer */
async function askCapabilities(exchange: Exchange, said: string[]): Promise<string[] | undefined> {
  const reply = await exchange.command('CAPABILITY')
  if (reply.kind === 'failed') return undefined
  said.push(...reply.untagged.filter(isForPeople))
  return reply.status === 'OK' ? lastCapabilities(reply.untagged) : undefined
}

/** NO and BAD always are; OK if it has a code that is not a capability list. */
const isForPeople = (line: string): boolean => /^\* (?:(?:NO|BAD)\b|OK \[(?!CAPABILITY\b))/i.test(line)
