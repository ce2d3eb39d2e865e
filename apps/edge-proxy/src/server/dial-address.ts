/**
 * Opens a connection to one address of a server, including TLS or STARTTLS, until its greeting and capabilities have arrived.
 * One deadline applies to all phases. A failure names the phase, and marks the address as down.
 */
import { isIP, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { oneLine } from '@imapfleet/observe'
import { capabilitiesIn, lastCapabilities, offers } from '../imap/capability.ts'
import { startDeadline } from '../net/deadline.ts'
import { dialSocket, socketReady } from '../net/dial-tcp.ts'
import { Link, type OpenTransport } from '../net/link.ts'
import { dialErrorReason, dialErrorText, type Exhaustion } from '../net/socket-errors.ts'
import { overSocket } from '../net/socket-transport.ts'
import { runtime } from '../runtime.ts'
import { Exchange, type ExchangeFailure } from './exchange.ts'
import type { Address } from './resolver.ts'
import type { Preamble, Server } from './server.ts'
import { shortageInDial, countsAsFailure } from './shortage.ts'

export interface Dialed {
  kind: 'dialed'
  address: Address
  link: Link
  exchange: Exchange
  /** The server's capability list before login. */
  capabilities: readonly string[]
  isSecure: boolean
  /** Lines for the user: untagged status responses, and a greeting with a code such as ALERT. */
  said: string[]
  /** Ends the turn of this dial at the gate. Idempotent. Absent: the dial has no turn. */
  leaveTurn?: () => void
}

export interface DialFailure {
  kind: 'dial-failed'
  reason:
    | ExchangeFailure['reason']
    | Exhaustion
    | 'unresolved'
    | 'refused'
    | 'starttls-not-offered'
    | 'starttls-refused'
    | 'breaker-open'
  /** For operators, with each address that was tried. */
  detail: string
  /** Untagged lines of the server, a BYE included. Absent: there were none. */
  said?: readonly string[]
}

/** The signal was aborted, and no connection is left. */
export interface DialAbandoned {
  kind: 'abandoned'
}

export interface DialOptions {
  signal: AbortSignal
  /** Time limit for everything until the capabilities have arrived. */
  timeoutMs: number
  /** Sent before everything else (a PROXY header). */
  preamble: Preamble | undefined
  /** No login waits for it, so a failure does not mark the address as down. */
  isTentative?: boolean
}

/** Dials the address once, and notes whether it answers. */
export async function dialAddress(
  server: Server,
  address: Address,
  options: DialOptions,
): Promise<Dialed | DialFailure | DialAbandoned> {
  const startedAt = runtime.now()
  const dialed = await new AddressDial(server, address, options).run()
  if (options.signal.aborted) {
    if (dialed.kind === 'dialed') dialed.exchange.fail('closed-here')
    else if (options.isTentative !== true) server.suspectAddress(address)
    return { kind: 'abandoned' }
  }
  if (dialed.kind === 'dialed') server.addressGreeted(address, runtime.now() - startedAt)
  else if (options.isTentative !== true && countsAsFailure(shortageInDial(dialed)))
    server.markAddressDown(address, dialed.detail)
  return dialed
}

/** The event that the dial waits for, as text for operators. */
type Phase = 'TCP connection' | 'TLS handshake' | 'greeting' | 'answer to CAPABILITY' | 'answer to STARTTLS'

class AddressDial {
  readonly #server: Server
  readonly #address: Address
  readonly #options: DialOptions
  readonly #deadline = new AbortController()
  #phase: Phase = 'TCP connection'
  #exchange: Exchange | undefined
  #isSecure = false
  /** Before the required TLS, lines of the server may be forged, so they are only logged. */
  #mayBeForged: boolean

  constructor(server: Server, address: Address, options: DialOptions) {
    this.#server = server
    this.#address = address
    this.#options = options
    this.#mayBeForged = server.config.tls === 'starttls'
  }

  async run(): Promise<Dialed | DialFailure> {
    const { signal, timeoutMs } = this.#options
    const onTimeout = () => {
      this.#deadline.abort()
      this.#exchange?.fail('timed-out')
    }
    const cancelDeadline = startDeadline(timeoutMs, onTimeout)
    signal.addEventListener('abort', onTimeout)
    if (signal.aborted) onTimeout()
    try {
      return await this.#greet(new Link(await this.#open()))
    } catch (error) {
      if (this.#deadline.signal.aborted) return this.#failed('timed-out')
      return this.#failed(dialErrorReason(error), dialErrorText(error))
    } finally {
      cancelDeadline()
      signal.removeEventListener('abort', onTimeout)
    }
  }

  /** Connects, and starts TLS if it is implicit. */
  async #open(): Promise<OpenTransport> {
    const { histograms, config } = this.#server
    const { port, keepAlive, tls } = config
    const { preamble } = this.#options
    const destination = { host: this.#address.address, port, keepAlive }
    const { signal } = this.#deadline
    if (tls === 'none') {
      const dialing = this.#server.network.dial(destination, signal)
      const { open, addresses } = await histograms.upstream_connect_seconds.measure(dialing)
      return preamble ? (link) => writtenFirst(open(link), preamble(addresses)) : open
    }
    const socket = await histograms.upstream_connect_seconds.measure(dialSocket(destination, signal))
    if (preamble) socket.write(preamble(socket))
    return overSocket(tls === 'implicit' ? await this.#openTls(socket) : socket)
  }

  async #greet(link: Link): Promise<Dialed | DialFailure> {
    const { tls } = this.#server.config
    this.#phase = 'greeting'
    const exchange = (this.#exchange = new Exchange(link))
    if (this.#deadline.signal.aborted) exchange.fail('timed-out')
    const greeting = await exchange.greeting()
    if (greeting.kind === 'failed') return this.#ended(greeting)
    this.#phase = 'answer to CAPABILITY'
    let said = [greeting.text].filter(isForPeople)
    let capabilities = capabilitiesIn(greeting.text) ?? (await askCapabilities(exchange, said))
    if (tls === 'starttls' || tls === 'opportunistic') {
      if (capabilities && offers(capabilities, 'STARTTLS')) {
        const failure = await this.#startTls(link, exchange)
        if (failure) return failure
        this.#phase = 'answer to CAPABILITY'
        said = []
        capabilities = await askCapabilities(exchange, said)
      } else if (tls === 'starttls' && capabilities)
        return this.#failed('starttls-not-offered', 'the server offers no STARTTLS')
    }
    if (capabilities) {
      const isSecure = this.#isSecure
      return { kind: 'dialed', address: this.#address, link, exchange, capabilities, isSecure, said }
    }
    if (exchange.failure) return this.#ended(exchange.failure)
    return this.#failed('not-imap', 'the server did not answer CAPABILITY with a list and OK')
  }

  async #startTls(link: Link, exchange: Exchange): Promise<DialFailure | undefined> {
    this.#phase = 'answer to STARTTLS'
    const reply = await exchange.command('STARTTLS')
    if (reply.kind === 'failed') return this.#ended(reply)
    if (reply.status !== 'OK')
      return this.#failed('starttls-refused', `the server refused STARTTLS: ${reply.status} ${reply.text}`)
    const raw = link.detach()
    // Data after the reply was not sent under TLS, so it may be forged (RFC 9051 6.2.1).
    if (!exchange.isQuiet || raw.readableLength > 0)
      return this.#failed('not-imap', 'the server sent data behind its reply to STARTTLS')
    link.attach(overSocket(await this.#openTls(raw)))
    this.#mayBeForged = false
    return undefined
  }

  #openTls(raw: Socket): Promise<Socket> {
    this.#phase = 'TLS handshake'
    const { config, tls, histograms } = this.#server
    const name = config.serverName ?? this.#address.host
    const ticket = tls.tickets.get(name)
    const socket = connectTls({
      ...(tls.context && { secureContext: tls.context }),
      socket: raw,
      rejectUnauthorized: config.verify,
      // SNI must not contain an address (RFC 6066 3). Node verifies `host`, name or address, against the certificate.
      ...(isIP(name) ? {} : { servername: name }),
      host: name,
      ...(ticket && { session: ticket }),
    })
    socket.on('session', (fresh: Buffer) => tls.tickets.set(name, fresh))
    return histograms.upstream_tls_seconds.measure(
      socketReady(socket, 'secureConnect', this.#deadline.signal).then((ready) => {
        this.#isSecure = true
        return ready
      }),
    )
  }

  #ended({ reason, detail, said }: ExchangeFailure): DialFailure {
    const failure = this.#failed(reason, this.#endDetail(reason, detail))
    return said && !this.#mayBeForged ? { ...failure, said } : failure
  }

  #endDetail(reason: DialFailure['reason'], detail: string | undefined): string | undefined {
    if (reason === 'bye') return `the server refused the connection: ${detail}`
    return reason === 'not-imap' ? `no ${this.#phase}, but: ${detail}` : detail
  }

  #failed(reason: DialFailure['reason'], text?: string): DialFailure {
    this.#exchange?.fail('closed-here')
    const { config } = this.#server
    const { host, address } = this.#address
    const place = host === address ? host : `${host} (${address})`
    const sentence = oneLine(text === undefined ? this.#endText(reason) : text, 500)
    return {
      kind: 'dial-failed',
      reason,
      detail: `${place} port ${config.port}: ${sentence}${this.#advice(reason, sentence)}`,
    }
  }

  /** The text for a reason that needs no detail besides the phase. */
  #endText(reason: DialFailure['reason']): string {
    const missing = this.#exchange?.isWithinLine ? `no complete ${this.#phase}` : `no ${this.#phase}`
    if (reason === 'timed-out') return `${missing} within ${Math.round(this.#options.timeoutMs)} ms`
    return `${missing}: ${reason}`
  }

  /** The setting to change, if the failure suggests one. */
  #advice(reason: DialFailure['reason'], text: string): string {
    const { name, config } = this.#server
    const { tls, port } = config
    const key = `upstreams.${name}.tls`
    if (reason === 'timed-out' && this.#phase === 'greeting' && tls !== 'implicit' && port === 993)
      return `; port 993 usually needs ${key}: implicit`
    if (tls === 'implicit' && text.includes('WRONG_VERSION_NUMBER'))
      return `; the server sends no TLS on this port; try ${key}: starttls or none`
    if (tls !== 'opportunistic') return ''
    return this.#phase === 'answer to STARTTLS' || this.#phase === 'TLS handshake'
      ? `; repair TLS at the server, or set ${key}: none to send passwords without TLS`
      : ''
  }
}

function writtenFirst(transport: ReturnType<OpenTransport>, bytes: Buffer): ReturnType<OpenTransport> {
  transport.write(bytes)
  return transport
}

/** @param said lines for the user are appended to it */
async function askCapabilities(exchange: Exchange, said: string[]): Promise<readonly string[] | undefined> {
  const reply = await exchange.command('CAPABILITY')
  if (reply.kind === 'failed') return undefined
  said.push(...reply.untagged.filter(isForPeople))
  return reply.status === 'OK' ? lastCapabilities(reply.untagged) : undefined
}

/** Whether a line is for the user: NO, BAD, or OK with a code that is not a capability list. */
const isForPeople = (line: string): boolean => /^\* (?:(?:NO|BAD)\b|OK \[(?!CAPABILITY\b))/i.test(line)
