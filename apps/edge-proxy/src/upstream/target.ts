/** A configured upstream at work: its settings, TLS material, health and counters. Replaced as a whole on reload. */
import { readdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { rootCertificates, type ConnectionOptions } from 'node:tls'
import type { UpstreamConfig } from '@imapfleet/config'
import { EdgeError } from '../errors.ts'
import { afterLogin } from '../imap/capability.ts'
import { printProxyHeader } from '../link/proxy-header.ts'
import type { Counter, Counters } from '../observe/counters.ts'
import { Breaker } from './breaker.ts'
import type { DialTimes, Preamble, TlsMaterial } from './dial.ts'
import { Resolver } from './resolve.ts'

export class Target {
  readonly name: string
  readonly config: UpstreamConfig
  /** Differs from every earlier target of this name. */
  readonly generation: number
  readonly tls: TlsMaterial
  readonly resolver = new Resolver()
  readonly breaker = new Breaker()
  /** What the server can do after login, learned from it; empty until then. */
  capabilities: readonly string[] = []
  /** Why the last contact failed; undefined while the server answers. */
  trouble: string | undefined
  /** No new connection is made while an operator has paused it. */
  paused = false
  readonly times: DialTimes
  readonly count: Record<'opened' | 'reused' | 'loginsOk' | 'loginsRefused' | 'loginsFailed', Counter>

  constructor(name: string, config: UpstreamConfig, generation: number, counters: Counters) {
    this.name = name
    this.config = config
    this.generation = generation
    this.tls = { options: tlsOptions(name, config), tickets: new Map() }
    this.times = {
      connect: counters.timings('upstream_connect_seconds'),
      tls: counters.timings('upstream_tls_seconds'),
      login: counters.timings('upstream_login_seconds'),
    }
    const labels = { upstream: name }
    this.count = {
      opened: counters.counter('upstream_connections_total', labels),
      reused: counters.counter('upstream_reuses_total', labels),
      loginsOk: counters.counter('logins_total', { ...labels, result: 'ok' }),
      loginsRefused: counters.counter('logins_total', { ...labels, result: 'refused' }),
      loginsFailed: counters.counter('logins_total', { ...labels, result: 'failed' }),
    }
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

  /** Learns from any list the server has shown, before or after a login. */
  learn(capabilities: readonly string[]): void {
    if (capabilities.length > 0) this.capabilities = afterLogin(capabilities)
  }
}

function tlsOptions(name: string, config: UpstreamConfig): ConnectionOptions {
  if (config.tls === 'none') return {}
  const read = (file: string): string => {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      throw new EdgeError(
        'tls_unreadable',
        `upstreams.${name}: cannot read ${file}: ${(error as Error).message}`,
      )
    }
  }
  const authorities = [
    ...(config.caFile ? [read(config.caFile)] : []),
    ...(config.caPath ? authoritiesIn(name, config.caPath).map(read) : []),
  ]
  return {
    ca: authorities.length > 0 ? authorities : [...rootCertificates],
    minVersion: config.minTlsVersion,
    maxVersion: config.maxTlsVersion,
    ...(config.certFile && { cert: read(config.certFile) }),
    ...(config.keyFile && { key: read(config.keyFile) }),
    ...(config.ciphers && { ciphers: config.ciphers }),
  }
}

function authoritiesIn(name: string, directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((file) => /\.(pem|crt|0)$/.test(file))
      .map((file) => join(directory, file))
  } catch (error) {
    throw new EdgeError(
      'tls_unreadable',
      `upstreams.${name}: cannot read ${directory}: ${(error as Error).message}`,
    )
  }
}
