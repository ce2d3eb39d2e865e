/** What a login asks of the pool, and what it gets: a connection to use, or the words to refuse with. */
import type { EdgeConfig } from '@imapfleet/config'
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import type { OpenResult } from '../server/open-connection.ts'
import type { Server } from '../server/server.ts'
import type { ServerConnection } from '../server/server-connection.ts'

/** The part of the edge's context that the pool uses. */
export interface PoolContext {
  /** Read at each use. */
  readonly settings: { readonly current: Pick<EdgeConfig, 'pool'> }
  readonly metrics: EdgeMetrics
  readonly log: Log
  /** Milliseconds since 1970; coarse is fine. */
  readonly clock: { now(): number }
}

/** The client that a connection is leased to. */
export interface LeaseHolder {
  readonly address: string
  /** False: the client has gone while its login waited. */
  readonly isConnected: boolean
}

export interface LeaseRequest {
  readonly server: Server
  readonly credentials: Credentials
  /** Canonical name of server and user, from key.ts. */
  readonly identity: string
  readonly secretDigest: string
  readonly holder: LeaseHolder
}

export interface Leased {
  kind: 'leased'
  connection: ServerConnection
  reused: boolean
  /** Whether the client may be told XPROXYREUSE. */
  tellReuse: boolean
  /** Untagged lines of the server's answer to a new login, for this client. */
  untagged: readonly string[]
}

/** The login is answered with `status text`. No connection is held. */
export interface Refused {
  kind: 'refused'
  cause: 'wrong-credentials' | 'unavailable' | 'limit'
  status: 'NO' | 'BAD'
  text: string
  /** The text for the log. */
  logText: string
  /** The challenge with which an OAuth server explains the refusal; the client acknowledges it (RFC 7628 3.2.3). */
  challenge?: string
}

/** Why a login gets no place for one more connection. */
export type NoPlace =
  | 'too-many-of-user'
  | 'queue-full'
  | 'timed-out'
  /** The client disconnected while it waited. */
  | 'left'

const noPlaceText: Record<NoPlace, string> = {
  'too-many-of-user': 'Too many connections of this user',
  'queue-full': 'Too many connections, try again later',
  'timed-out': 'No connection became free in time, try again later',
  left: 'The client has gone',
}

/** The answer to a login that gets no place. */
export function refusedForPlace(reason: NoPlace): Refused {
  const text = `[LIMIT] ${noPlaceText[reason]}`
  return { kind: 'refused', cause: 'limit', status: 'NO', text, logText: text }
}

/** The answer to a login that the server refused, or that could not reach it. */
export function refusedByServer(opened: Exclude<OpenResult, { kind: 'opened' }>): Refused {
  if (opened.kind === 'login-refused') {
    const { kind: _, ...answer } = opened
    return { kind: 'refused', cause: causeOf(opened.text), ...answer }
  }
  const text = '[UNAVAILABLE] Mail server is not available, try again later'
  return { kind: 'refused', cause: 'unavailable', status: 'NO', text, logText: text }
}

/** These response codes say nothing about the credentials (RFC 5530 3). */
function causeOf(text: string): Refused['cause'] {
  if (/^\[LIMIT\]/i.test(text)) return 'limit'
  return /^\[(UNAVAILABLE|INUSE|SERVERBUG)\]/i.test(text) ? 'unavailable' : 'wrong-credentials'
}
