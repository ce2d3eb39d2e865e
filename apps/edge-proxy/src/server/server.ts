/**
 * A configured mail server (`upstreams.NAME`): its settings, TLS context, addresses, circuit breaker, state, and capabilities.
 * A reload that changes its settings replaces the object.
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
import { ConnectAhead } from './connect-ahead.ts'
import { ConnectGate } from './connect-gate.ts'
import { Identification } from './identification.ts'
import { Resolver, type Address } from './resolver.ts'

/** `check`: no login follows, for example in a health check. */
export type DialPurpose = 'login' | 'check'

/** The order of the addresses in one dial. */
export interface Round {
  /** With `roundRobin`: the index of the first address. */
  readonly first: number
  /** Addresses that are down, but are tried once more. */
  readonly trials: readonly Address[]
}

/** Returns the first bytes of a connection, which are sent before the server's greeting. */
export type Preamble = (addresses: TcpAddresses) => Buffer

/** The address of a client, and its ID commands. */
export interface ClientIdentity {
  /** Reading it may need a system call. */
  readonly address: string
  /** Its ID commands, in order. Absent: none. */
  readonly ids?: readonly IdPairs[]
  /** Whether the client may name the address of its user in them (`originatingIpFrom`). */
  readonly mayNameUser?: boolean
}

interface ServerTls {
  /** Undefined: the server is configured without TLS. */
  readonly context: SecureContext | undefined
  /** Session tickets for resumption, by host. */
  readonly tickets: Map<string, Buffer>
}

export class Server {
  readonly name: string
  readonly config: UpstreamConfig
  /** Different for each object, also with the same name. */
  readonly generation: number
  readonly histograms: EdgeMetrics['histograms']
  readonly resolver: Resolver
  readonly network: Network
  readonly addresses = new Addresses()
  readonly breaker = new Breaker()
  readonly gate = new ConnectGate()
  readonly connectAhead: ConnectAhead
  readonly identification = new Identification()
  readonly ahead: AheadMode
  /** What answer-ahead has learned. Undefined if `ahead` is off. */
  readonly knowledge: Knowledge | undefined
  tls: ServerTls
  /** The capability list after login, or before login until that is known. Empty until the server has sent a list. */
  capabilities: readonly string[] = []
  /** SASL mechanisms in the list before login, in upper case. Undefined until the server has sent that list. */
  mechanisms: readonly string[] | undefined
  /** Why the last attempt to reach the server failed. Undefined while the server is up. */
  downReason: string | undefined
  /** When the server last greeted or answered a login, from runtime.now(); 0: never. */
  greetedAt = 0
  /** Set by an operator: logins open no connections. Health checks continue. */
  isPaused = false
  readonly #rounds: Record<DialPurpose, number> = { login: 0, check: 0 }

  /**
   * @param context undefined: the server is configured without TLS
   * @param resolver shared by all servers, so that each name is looked up once
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
    this.connectAhead = new ConnectAhead(this, counters)
    this.tls = { context, tickets: new Map() }
    showFromZero(name, counters)
  }

  /** Sets a new context after a reload. TLS sessions of the old context are not resumed. */
  renewTls(context: SecureContext | undefined): void {
    this.tls = { context, tickets: new Map() }
    this.connectAhead.close()
  }

  /** The server has greeted. */
  markUp(): void {
    this.breaker.succeeded()
    this.downReason = undefined
    this.greetedAt = runtime.now()
  }

  /**
   * Begins a dial. Without health checks, the dial tries an address again after its pause. With `roundRobin`, logins and
   * checks each have their own turn: a check between two logins must not send both to the same address.
   */
  beginRound(purpose: DialPurpose): Round {
    const first = this.config.roundRobin ? this.#rounds[purpose]++ : 0
    return {
      first,
      trials: this.config.healthIntervalMs === 0 ? this.addresses.takeDue(runtime.now()) : [],
    }
  }

  /** All known addresses, in the order in which the dial tries them. */
  addressesInRound({ first, trials }: Round): Address[] {
    const known = this.resolver.known(this.config)
    this.addresses.keepOnly(known)
    const at = known.length > 0 ? first % known.length : 0
    return this.addresses.inOrder([...known.slice(at), ...known.slice(0, at)], runtime.now(), trials)
  }

  /** The address that the next login tries first. */
  nextAddress(): Address | undefined {
    return this.addressesInRound({ first: this.config.roundRobin ? this.#rounds.login : 0, trials: [] })[0]
  }

  /** A login has used a connection to `nextAddress`, without a dial. */
  endTurn(): void {
    this.#rounds.login++
  }

  get hasOnlyDownAddresses(): boolean {
    return this.resolver.known(this.config).every((address) => this.addresses.isDown(address))
  }

  /** The address could not be used. `reason` is for operators. */
  markAddressDown(address: Address, reason: string): void {
    this.addresses.markDown(address, reason, runtime.now(), this.#checkPauseMs)
  }

  /** The address has greeted, `greetingMs` milliseconds after the dial. */
  addressGreeted(address: Address, greetingMs: number): void {
    this.addresses.greeted(address, greetingMs, runtime.now(), this.#checkPauseMs)
  }

  /** The address has answered a login. `acceptedMs`: time until the login was accepted; undefined: it was refused. */
  addressAnsweredLogin(address: Address, acceptedMs: number | undefined): void {
    this.greetedAt = runtime.now()
    this.addresses.loginAnswered(address, acceptedMs, runtime.now(), this.#checkPauseMs)
  }

  /** The address has greeted, but did not answer a login or could not check it. `detail` is for operators. */
  addressFailedLogin(address: Address, detail: string): void {
    this.addresses.loginFailed(address, detail, runtime.now(), this.#checkPauseMs)
  }

  /** Time until an address that is down is tried again. */
  get #checkPauseMs(): number {
    return this.config.healthIntervalMs || this.config.breakerCooldownMs
  }

  /** A dial was abandoned before the address had answered. Without health checks, a login tries it again after a while. */
  suspectAddress(address: Address): void {
    const { healthIntervalMs, breakerCooldownMs } = this.config
    const untilCheckMs = healthIntervalMs === 0 ? breakerCooldownMs : 0
    this.addresses.suspect(address, runtime.now(), this.#checkPauseMs, untilCheckMs)
  }

  /** Problems of the server, its names and its addresses, each as a sentence for operators. */
  get problems(): string[] {
    if (this.downReason !== undefined) return [this.downReason]
    const addresses = this.addresses.down.map(
      ({ since, reason }) =>
        `down since ${new Date(since).toISOString()}, other addresses are used: ${reason}`,
    )
    return [...this.resolver.failures(this.config).values(), ...addresses]
  }

  /** The server could not be reached. `reason` is for operators. */
  markDown(reason: string): void {
    this.downReason = reason
    this.breaker.failed(runtime.now(), this.config)
  }

  /**
   * The PROXY header for a connection. Undefined unless `clientAddress` requires one.
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
   * ID commands for a client, in order, without tags. If `clientAddress` is `id`, the first one names an address, because Dovecot
   * uses only the first ID: the address of the client, or the address that a trusted client names.
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

  /** Notes the capability list before login. The list after login, which has more entries, replaces it. */
  learnBeforeLogin(capabilities: readonly string[]): void {
    this.mechanisms = mechanismsIn(capabilities)
    if (this.capabilities.length === 0) this.learnAfterLogin(capabilities)
  }

  /** Notes the capability list after login. An empty list changes nothing. */
  learnAfterLogin(capabilities: readonly string[]): void {
    if (capabilities.length > 0) this.capabilities = afterLogin(capabilities)
  }
}

const originatingIp = (address: string): string => printId([['x-originating-ip', address]])

/** Creates the counters of a server with 0. The rate of a series that begins at 1 would not show the first increment. */
function showFromZero(upstream: string, counters: EdgeMetrics['counters']): void {
  counters.upstream_connections_total({ upstream })
  counters.upstream_reuses_total({ upstream })
  for (const result of ['ok', 'refused', 'failed'] as const) counters.logins_total({ upstream, result })
}
