/** How control connects to NATS. */
import {
  credsAuthenticator,
  tokenAuthenticator,
  type Authenticator,
  type NodeConnectionOptions,
} from '@nats-io/transport-node'
import type { StreamLimits } from './streams.ts'

export interface BusOptions {
  servers: string[]
  token?: string
  /** Content of a NATS credentials file. */
  credentials?: string
  tlsCaFile?: string
  limits: StreamLimits
}

export const retryMs = 1000

export function connectOptions(options: BusOptions): NodeConnectionOptions {
  return {
    servers: options.servers,
    name: 'imapfleet-control',
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    // A server that refuses us may be one whose accounts are just being changed.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    ...(options.token === undefined ? {} : { authenticator: tokenAuthenticator(options.token) }),
    ...(options.credentials === undefined
      ? {}
      : { authenticator: credentialsAuthenticator(options.credentials) }),
    ...(options.tlsCaFile === undefined ? {} : { tls: { caFile: options.tlsCaFile } }),
  }
}

/** The client finds no end in a file whose last line has no newline. */
export const credentialsAuthenticator = (text: string): Authenticator =>
  credsAuthenticator(new TextEncoder().encode(`${text}\n`))
