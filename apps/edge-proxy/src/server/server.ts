/**
 * A configured mail server (`upstreams.NAME`): its settings, TLS context, addresses, circuit breaker, whether it is up, and
 * the capabilities that it has sent. A reload that changes its settings replaces the object.
 */
import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { UpstreamConfig } from '@imapfleet/config'
import type { EdgeMetrics } from '@imapfleet/observe'
import { Knowledge } from '../ahead/knowledge.ts'
import { afterLogin, mechanismsIn } from '../imap/capability.ts'
import { addressNamedIn, printId, withoutClientFields, type IdPairs } from '../imap/id.ts'
import { withoutPageHints } from '../imap/page-hints.ts'
import type { TcpAddresses } from '../net/dial-tcp.ts'
import type { Network } from '../net/network.ts'
import { printProxyHeader } from '../net/proxy-header.ts'
import { systemNetwork } from '../net/system-network.ts'
import { runtime } from '../runtime.ts'
import { Addresses } from './addresses.ts'
import { aheadMode, type AheadMode } from './ahead-mode.ts'
import { Breaker } from './breaker.ts'
import { ConnectGate } from './connect-gate.ts'
import { Identification } from './identification.ts'
import { Resolver, type Address } from './resolver.ts'

/** The addresses of one dial. */
export interface Round {
  /** With `roundRobin`: the place of the address that comes first. */
  readonly first: number
  /** Addresses that are down and tried once more. */
  readonly trials: readonly Address[]
}

/** Makes the first bytes of a connection, sent before the server's greeting. */
export type Preamble = (addresses: TcpAddresses) => Buffer

/** What a client has sent by ID commands. */
export interface ClientIdentity {
  /** Reading it may take a system call. */
  readonly address: string
  /** Its ID commands, in order. Absent: none. */
  readonly ids?: readonly IdPairs[]
  /** Whether it is trusted to name the address of its user in them (`originatingIpFrom`). */
  readonly mayNameUser?: boolean
}

interface ServerTls {
  /** Undefined: the server is configured without TLS. */
  readonly context: SecureContext | undefined
  /** For resumption, by host. */
  readonly tickets: Map<string, Buffer>
}

export class Server {
  readonly name: string
  readonly config: UpstreamConfig
  /** Different for each object, also of the same name. */
  readonly generation: number
  readonly histograms: EdgeMetrics['histograms']
  readonly resolver: Resolver
  readonly network: Network
  readonly addresses = new Addresses()
  readonly breaker = new Breaker()
  readonly gate = new ConnectGate()
  readonly identification = new Identification()
  readonly ahead: AheadMode
  /** What its clients ask next; undefined if `ahead` is off. */
  readonly knowledge: Knowledge | undefined
  tls: ServerTls
  /** The server's list after login, as far as it is known; empty until the server has sent a list. */
  capabilities: readonly string[] = []
  /** SASL mechanisms in its list before login, in upper case; undefined until the server has sent that list. */
  mechanisms: readonly string[] | undefined
  /** Why the last attempt to reach the server failed; undefined while the server is up. */
  downReason: string | undefined
  /** When the server last greeted, from runtime.now(); 0: never. */
  greetedAt = 0
  /** True after an order of an operator: no login opens a connection. Health checks continue. */
  isPaused = false
  #rounds = 0

  /**
   * @param context undefined without TLS
   * @param resolver that of all servers, so that each name is looked up once
   */
  constructor(
    name: string,
    config: UpstreamConfig,
    generation: number,
    { counters, histograms }: EdgeMetrics,
    context: SecureContext | undefined,
    resolver = new Resolver(),
    network: Network = systemNetwork,
  ) {
    this.name = name
    this.config = config
    this.generation = generation
    this.histograms = histograms
    this.resolver = resolver
    this.network = network
    this.ahead = aheadMode(config)
    this.knowledge = this.ahead === 'off' ? undefined : new Knowledge()
    this.tls = { context, tickets: new Map() }
    showFromZero(name, counters)
  }

  /** Sets a new context after a reload. TLS sessions that the old one verified are not resumed. */
  renewTls(context: SecureContext | undefined): void {
    this.tls = { context, tickets: new Map() }
  }

  /** The server has greeted. */
  markUp(): void {
    this.breaker.succeeded()
    this.downReason = undefined
    this.greetedAt = runtime.now()
  }

  /** Begins a dial. Without health checks, it tries an address again that has been down for its pause. */
  beginRound(): Round {
    const first = this.config.roundRobin ? this.#rounds++ : 0
    return {
      first,
      trials: this.config.healthIntervalMs === 0 ? this.addresses.takeDue(runtime.now()) : [],
    }
  }

  /** All addresses that are known now, in the order in which a dial tries them. */
  addressesInRound({ first, trials }: Round): Address[] {
    const known = this.resolver.known(this.config)
    this.addresses.keepOnly(known)
    const at = known.length > 0 ? first % known.length : 0
    return this.addresses.inOrder([...known.slice(at), ...known.slice(0, at)], runtime.now(), trials)
  }

  get hasOnlyDownAddresses(): boolean {
    return this.resolver.known(this.config).every((address) => this.addresses.isDown(address))
  }

  /** The address could not be used; `reason` is for operators. */
  markAddressDown(address: Address, reason: string): void {
    this.addresses.markDown(address, reason, runtime.now(), this.#checkPauseMs)
  }

  /** The address has greeted, `greetingMs` milliseconds after the dial. */
  addressGreeted(address: Address, greetingMs: number): void {
    this.addresses.greeted(address, greetingMs, runtime.now(), this.#checkPauseMs)
  }

  /** The address has answered a login; `acceptedMs` is how long it took to accept it. */
  addressAnsweredLogin(address: Address, acceptedMs: number | undefined): void {
    this.addresses.loginAnswered(address, acceptedMs, runtime.now(), this.#checkPauseMs)
  }

  /** The address has greeted and not answered a login, or could not judge it; `detail` is for operators. */
  addressFailedLogin(address: Address, detail: string): void {
    this.addresses.loginFailed(address, detail, runtime.now(), this.#checkPauseMs)
  }

  /** Until an address that is down is tried again. */
  get #checkPauseMs(): number {
    return this.config.healthIntervalMs || this.config.breakerCooldownMs
  }

  /** A dial was abandoned before the address had answered. Without health checks, a login tries it again after a while. */
  suspectAddress(address: Address): void {
    const { healthIntervalMs, breakerCooldownMs } = this.config
    const untilCheckMs = healthIntervalMs === 0 ? breakerCooldownMs : 0
    this.addresses.suspect(address, runtime.now(), this.#checkPauseMs, untilCheckMs)
  }

  /** What operators should know about its names and addresses, one sentence each. */
  get problems(): string[] {
    if (this.downReason !== undefined) return [this.downReason]
    const addresses = this.addresses.down.map(
      ({ since, reason }) => `down since ${new Date(since).toISOString()}, others are used: ${reason}`,
    )
    return [...this.resolver.failures(this.config).values(), ...addresses]
  }

  /** The server could not be reached; `reason` is for operators. */
  markDown(reason: string): void {
    this.downReason = reason
    this.breaker.failed(runtime.now(), this.config)
  }

  /**
   * The PROXY header for a connection; undefined unless `clientAddress` requires one.
   * @param client undefined for a connection without a client, such as a health check
   */
  proxyHeader(client?: { readonly address: string }): Preamble | undefined {
    const { clientAddress, port } = this.config
    if (clientAddress !== 'proxy-v1' && clientAddress !== 'proxy-v2') return undefined
    return (addresses) =>
      printProxyHeader(clientAddress === 'proxy-v1' ? 1 : 2, {
        source:
          client !== undefined && isIP(client.address)
            ? client.address
            : (addresses.localAddress ?? '127.0.0.1'),
        sourcePort: addresses.localPort ?? 0,
        destination: addresses.remoteAddress ?? '127.0.0.1',
        destinationPort: port,
      })
  }

  /**
   * ID commands for a client, in order, without tags. If `clientAddress` is `id`, the first one names an address, because
   * Dovecot uses no other: that of the client, or the one that a trusted client names.
   */
  idCommands(client: ClientIdentity): string[] {
    const { mayNameUser = false } = client
    const ids = (client.ids ?? []).map(withoutPageHints).filter((pairs) => pairs !== undefined)
    if (this.config.clientAddress !== 'id') return ids.map(printId)
    const { address } = client
    if (!mayNameUser) {
      const others = ids.map(withoutClientFields).filter((pairs) => pairs !== undefined)
      return [originatingIp(address), ...others.map(printId)]
    }
    const named = ids.map(addressNamedIn)
    const own = named[0] === undefined ? [originatingIp(named.find((each) => each) ?? address)] : []
    return [...own, ...ids.map(printId)]
  }

  /** Notes the list before login. The list after login has more in it, and replaces it once it is known. */
  learnBeforeLogin(capabilities: readonly string[]): void {
    this.mechanisms = mechanismsIn(capabilities)
    if (this.capabilities.length === 0) this.learnAfterLogin(capabilities)
  }

  /** Notes the list after login. An empty one changes nothing. */
  learnAfterLogin(capabilities: readonly string[]): void {
    if (capabilities.length > 0) this.capabilities = afterLogin(capabilities)
  }
}

const originatingIp = (address: string): string => printId([['x-originating-ip', address]])

/** Makes the counters of a server appear at 0: a rate cannot show the first increment of a series that begins with it. */
function showFromZero(upstream: string, counters: EdgeMetrics['counters']): void {
  counters.upstream_connections_total({ upstream })
  counters.upstream_reuses_total({ upstream })
  for (const result of ['ok', 'refused', 'failed'] as const) counters.logins_total({ upstream, result })
}
