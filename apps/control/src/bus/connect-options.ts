/** How control connects to NATS. */
import type { ClientTls } from '@imapfleet/config/tls'
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
  tls?: ClientTls
  limits: StreamLimits
}

export const retryMs = 1000
/** Longest that one attempt may take; a stop waits for it. */
const attemptMs = 5_000

export function connectOptions(options: BusOptions): NodeConnectionOptions {
  return {
    servers: options.servers,
    name: 'imapfleet-control',
    timeout: attemptMs,
    maxReconnectAttempts: -1,
    reconnectTimeWait: retryMs,
    // A server that refuses us may be one whose accounts are just being changed.
    ignoreAuthErrorAbort: true,
    pingInterval: 10_000,
    ...(options.token === undefined ? {} : { authenticator: tokenAuthenticator(options.token) }),
    ...(options.credentials === undefined
      ? {}
      : { authenticator: credentialsAuthenticator(options.credentials) }),
    ...(options.tls === undefined ? {} : { tls: options.tls }),
  }
}

/** The client finds no end in a file whose last line has no newline. */
export const credentialsAuthenticator = (text: string): Authenticator =>
  credsAuthenticator(new TextEncoder().encode(`${text}\n`))
