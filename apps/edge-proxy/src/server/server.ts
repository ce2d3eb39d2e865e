/** A configured upstream at work: its settings, TLS material, health and counters. Replaced as a whole on reload. */
import { isIP } from 'node:net'
import type { SecureContext } from 'node:tls'
import type { UpstreamConfig } from '@imapfleet/config'
import type { Counter, EdgeMetrics } from '@imapfleet/observe'
import { afterLogin } from '../imap/capability.ts'
import { printProxyHeader } from '../net/proxy-header.ts'
import { Breaker } from './breaker.ts'
import type { DialTimes, Preamble, TlsMaterial } from './dial.ts'
import { Resolver } from './resolve.ts'

export class Server {
  readonly name: string
  readonly config: UpstreamConfig
  /** Differs from every earlier target of this name. */
  readonly generation: number
  tls: TlsMaterial
  readonly resolver = new Resolver()
  readonly breaker = new Breaker()
  /** What the server can do after login, learned from it; empty until then. */
  capabilities: readonly string[] = []
  /** How it lets clients log in, by its own list before a login; undefined until it has been asked. */
  mechanisms: readonly string[] | undefined
  /** Why the last contact failed; undefined while the server answers. */
  trouble: string | undefined
  /** No new connection is made while an operator has paused it. */
  paused = false
  readonly times: DialTimes
  readonly count: Record<'opened' | 'reused' | 'loginsOk' | 'loginsRefused' | 'loginsFailed', Counter>

  /** @param context needed where TLS is spoken */
  constructor(
    name: string,
    config: UpstreamConfig,
    generation: number,
    { counters, histograms }: EdgeMetrics,
    context: SecureContext | undefined,
  ) {
    this.name = name
    this.config = config
    this.generation = generation
    this.tls = { context, tickets: new Map() }
    this.times = {
      connect: histograms.upstream_connect_seconds,
      tls: histograms.upstream_tls_seconds,
      login: histograms.upstream_login_seconds,
    }
    const labels = { upstream: name }
    this.count = {
      opened: counters.upstream_connections_total(labels),
      reused: counters.upstream_reuses_total(labels),
      loginsOk: counters.logins_total({ ...labels, result: 'ok' }),
      loginsRefused: counters.logins_total({ ...labels, result: 'refused' }),
      loginsFailed: counters.logins_total({ ...labels, result: 'failed' }),
    }
  }

  /** Takes on what its files say now; a session that was verified by the old ones is not resumed. */
  renewTls(context: SecureContext | undefined): void {
    this.tls = { context, tickets: new Map() }
  }

  /** When the server was last heard to live. Milliseconds since 1970. */
  answeredAt = 0

  /** The server has greeted us. */
  succeeded(): void {
    this.breaker.succeeded()
    this.trouble = undefined
    this.answeredAt = Date.now()
  }

  /** It could not be reached; `detail` says how, for operators. */
  failed(detail: string): void {
    this.trouble = detail
    this.breaker.failed(Date.now(), this.config)
  }

  /** What a connection begins with, where the server is told of clients by PROXY protocol; none: for itself. */
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

  /** Learns from its list before a login. What it can do after one is more: that counts only until it is known. */
  greeted(capabilities: readonly string[]): void {
    const offers = capabilities.filter((name) => name.startsWith('AUTH='))
    this.mechanisms = offers.map((name) => name.slice('AUTH='.length))
    if (this.capabilities.length === 0) this.learn(capabilities)
  }

  /** Learns from any list the server has shown, before or after a login. */
  learn(capabilities: readonly string[]): void {
    if (capabilities.length > 0) this.capabilities = afterLogin(capabilities)
  }
}
