/**
 * One configured mail server (`upstreams.NAME`) at work: its settings, TLS material and session tickets, addresses, circuit
 * breaker, and what it has told about itself. A reload that changes its settings replaces it.
 */
import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { UpstreamConfig } from '@imapfleet/config'
import type { EdgeMetrics } from '@imapfleet/observe'
import { afterLogin } from '../imap/capability.ts'
import type { Ends } from '../net/dial-tcp.ts'
import { printProxyHeader } from '../net/proxy-header.ts'
import { Breaker } from './breaker.ts'
import { Resolver } from './resolve.ts'

/** Bytes that a connection begins with, before the server has sent anything. */
export type Preamble = (ends: Ends) => Buffer

interface TlsMaterial {
  /** Undefined: the server is spoken to without TLS. */
  readonly context: SecureContext | undefined
  /** Session tickets by host, for resumption. */
  readonly tickets: Map<string, Buffer>
}

export class Server {
  readonly name: string
  readonly config: UpstreamConfig
  /** Differs from that of every earlier server of this name. */
  readonly generation: number
  readonly histograms: EdgeMetrics['histograms']
  readonly resolver = new Resolver()
  readonly breaker = new Breaker()
  tls: TlsMaterial
  /** What the server can do after login, learned from it; empty until then. */
  capabilities: readonly string[] = []
  /** SASL mechanisms of its list before login; undefined until it has sent one. */
  mechanisms: readonly string[] | undefined
  /** Why the last contact failed; undefined while the server answers. */
  trouble: string | undefined
  /** When the server last greeted. Milliseconds since 1970. */
  answeredAt = 0
  /** An operator has paused it: no new connection is opened. */
  isPaused = false

  /** @param context undefined if no TLS is configured */
  constructor(
    name: string,
    config: UpstreamConfig,
    generation: number,
    { histograms }: EdgeMetrics,
    context: SecureContext | undefined,
  ) {
    this.name = name
    this.config = config
    this.generation = generation
    this.histograms = histograms
    this.tls = { context, tickets: new Map() }
  }

  /** Uses certificate files that were read again. Sessions that the old ones verified are not resumed. */
  renewTls(context: SecureContext | undefined): void {
    this.tls = { context, tickets: new Map() }
  }

  /** The server has greeted. */
  succeeded(): void {
    this.breaker.succeeded()
    this.trouble = undefined
    this.answeredAt = Date.now()
  }

  /** The server could not be reached; `detail` tells operators why. */
  failed(detail: string): void {
    this.trouble = detail
    this.breaker.failed(Date.now(), this.config)
  }

  /**
   * The PROXY header for a connection; undefined unless `clientAddress` asks for one.
   * @param client undefined for a connection of the edge's own, such as a health check
   */
  proxyHeader(client?: { readonly address: string }): Preamble | undefined {
    const { clientAddress, port } = this.config
    if (clientAddress !== 'proxy-v1' && clientAddress !== 'proxy-v2') return undefined
    return (ends) =>
      printProxyHeader(clientAddress === 'proxy-v1' ? 1 : 2, {
        source:
          client !== undefined && isIP(client.address) ? client.address : (ends.localAddress ?? '127.0.0.1'),
        sourcePort: ends.localPort ?? 0,
        destination: ends.remoteAddress ?? '127.0.0.1',
        destinationPort: port,
      })
  }

  /** Learns from the list before login. The list after login is more complete and is kept once it is known. */
  greeted(capabilities: readonly string[]): void {
    const offers = capabilities.filter((name) => name.startsWith('AUTH='))
    this.mechanisms = offers.map((name) => name.slice('AUTH='.length))
    if (this.capabilities.length === 0) this.learn(capabilities)
  }

  /** Learns from a list that the server has sent. */
  learn(capabilities: readonly string[]): void {
    if (capabilities.length > 0) this.capabilities = afterLogin(capabilities)
  }
}
