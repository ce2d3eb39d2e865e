/** The request of a login to the pool, and its result: a connection, or the answer that refuses the login. */
import type { EdgeConfig } from '@imapfleet/config'
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import type { Credentials } from '../imap/credentials.ts'
import type { OpenResult } from '../server/open-connection.ts'
import { reportsTooMany } from '../server/shortage.ts'
import type { ClientIdentity, Server } from '../server/server.ts'
import type { Followers } from '../server/reset.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Servers } from '../server/servers.ts'

/** The edge's clocks (edge/clock.ts). */
export interface PoolClock {
  /** Coarse milliseconds, for ages. */
  now(): number
  /** Milliseconds since 1970, for the expiry of credentials. */
  wall(): number
}

/** The part of the edge's context that the pool uses. */
export interface PoolContext {
  /** Read at each use. */
  readonly settings: { readonly current: Pick<EdgeConfig, 'pool'> }
  readonly servers: Pick<Servers, 'get'>
  readonly metrics: EdgeMetrics
  readonly log: Log
  readonly clock: PoolClock
}

/** The client that a connection is leased to. */
export interface LeaseHolder extends ClientIdentity {
  /** False: the client disconnected while its login waited. */
  readonly isConnected: boolean
  /** Aborted when its login is abandoned. The reason is a key of `abandonedText`. */
  readonly loginSignal: AbortSignal
  /** The fingerprint of the client program (client/client-family.ts). */
  readonly family: string
}

export interface LeaseRequest {
  readonly server: Server
  readonly credentials: Credentials
  /** Canonical name of server and user, from key.ts. */
  readonly identity: string
  readonly secretDigest: string
  /** Earlier sessions of this user and client program enabled CONDSTORE by a command. */
  readonly usesCondstore: boolean
  /** Creates the commands to send behind the barrier, if the login waits for the reset of this connection. */
  readonly followersFor?: FollowersFor | undefined
  readonly holder: LeaseHolder
}

export type FollowersFor = (connection: ServerConnection) => Followers | undefined

export interface Leased {
  kind: 'leased'
  connection: ServerConnection
  reused: boolean
  /** Whether the client may be told XPROXYREUSE. */
  tellReuse: boolean
  /** Untagged lines of the server's answer to a new login. They are for this client. */
  untagged: readonly string[]
  /** Whether the server got the client's ID commands before the login. */
  idsSent: boolean
}

/** Why a login is refused; the `cause` in the log. */
export type RefusalCause =
  /** The server does not accept this name with this secret, or gives no reason. */
  | 'wrong-credentials'
  /** The secret has expired (RFC 5530, EXPIRED). */
  | 'expired'
  /** The secret may be right, but the user may not log in, or not as this authzid (AUTHORIZATIONFAILED, NOPERM). */
  | 'not-authorized'
  /** The user must contact the administrator, for example because the account is disabled (CONTACTADMIN). */
  | 'contact-admin'
  /** The server requires TLS from the edge: `upstreams.NAME.tls` (PRIVACYREQUIRED). */
  | 'tls-required'
  /** A limit of the server or of the edge. */
  | 'limit'
  /** The server is down, busy or broken. */
  | 'unavailable'
  /** The server cannot parse or does not support the command. */
  | 'bad-command'
  /** The client disconnected, its time limit expired, or the edge stops. */
  | 'abandoned'

/**
 * Whether the server has refused this user with this secret. This is evidence against every connection that was opened with
 * them. The other causes say nothing about the credentials.
 */
export const refusesUser = (cause: RefusalCause): boolean =>
  cause === 'wrong-credentials' ||
  cause === 'expired' ||
  cause === 'not-authorized' ||
  cause === 'contact-admin'

/** Whether the refusal counts towards `clients.loginFailuresMax`. */
export const countsAsLoginFailure = (cause: RefusalCause): boolean =>
  refusesUser(cause) && cause !== 'contact-admin'

/** The login is answered with `status text`. No connection is held. */
export interface Refused {
  kind: 'refused'
  cause: RefusalCause
  status: 'NO' | 'BAD'
  text: string
  /** Untagged lines to send before it, without line ends. Absent: there are none. */
  untagged?: readonly string[]
  /** The text for the log. */
  logText: string
  /** The challenge in which an OAuth server explains the refusal. The client must acknowledge it (RFC 7628 3.2.3). */
  challenge?: string
}

/** Why a login gets no place for a new connection. */
export type NoPlace =
  | 'too-many-of-user'
  | 'queue-full'
  | 'timed-out'
  /** The process is at its memory limit (pool/memory.ts). */
  | 'out-of-memory'
  /** The login was abandoned while it waited. */
  | 'abandoned'

const noPlaceText: Record<Exclude<NoPlace, 'abandoned' | 'out-of-memory'>, string> = {
  'too-many-of-user': 'Too many connections of this user',
  'queue-full': 'Too many connections, try again later',
  'timed-out': 'No connection became free in time, try again later',
}

const abandonedText = {
  'client-gone': 'The client disconnected',
  'out-of-time': 'Mail server did not answer in time, try again later',
  shutdown: 'Server is stopping, try again',
}

/** The answer to a login that gets no place. */
export function refusedForPlace(reason: NoPlace, holder: LeaseHolder): Refused {
  if (reason === 'abandoned') return refusedAsAbandoned(holder)
  if (reason === 'out-of-memory') return refusedForMemory
  const text = `[LIMIT] ${noPlaceText[reason]}`
  return { kind: 'refused', cause: 'limit', status: 'NO', text, logText: text }
}

const tooBusy = '[UNAVAILABLE] Too busy, try again later'
const refusedForMemory: Refused = {
  kind: 'refused',
  cause: 'unavailable',
  status: 'NO',
  text: tooBusy,
  logText: `${tooBusy} (out of memory)`,
}

/** The answer to a login that was abandoned. */
export function refusedAsAbandoned({ loginSignal }: LeaseHolder): Refused {
  const text = `[UNAVAILABLE] ${abandonedText[loginSignal.reason as keyof typeof abandonedText]}`
  return { kind: 'refused', cause: 'abandoned', status: 'NO', text, logText: text }
}

/** The answer to a login that the server refused, or that did not reach the server. */
export function refusedByServer(opened: Exclude<OpenResult, { kind: 'opened' | 'abandoned' }>): Refused {
  if (opened.kind === 'login-refused') {
    const { status, text, logText, challenge } = opened
    return {
      kind: 'refused',
      cause: causeOf(status, text),
      status,
      text,
      logText,
      // The client's connection stays open, so a BYE of the server must not reach it.
      ...untaggedLines(opened.untagged.map((line) => line.replace(/^\* BYE\b/i, '* NO'))),
      ...(challenge !== undefined && { challenge }),
    }
  }
  return { kind: 'refused', status: 'NO', ...unavailableAnswer(opened) }
}

const untaggedLines = (untagged: readonly string[]): Pick<Refused, 'untagged'> =>
  untagged.length > 0 ? { untagged } : {}

/**
 * The answer to a login for which the server sent BYE or nothing. The tagged reply has the text of the BYE, because webmails
 * show it, and its code if that is a reason (RFC 5530) other than the credentials. For any other code, such as ALERT, the BYE
 * is sent as an untagged NO before the tagged reply.
 */
function unavailableAnswer({
  detail,
  bye,
  untagged,
}: Extract<OpenResult, { kind: 'unavailable' }>): Pick<Refused, 'cause' | 'text' | 'untagged' | 'logText'> {
  const code = /^\[[^\]]*\] ?/.exec(bye ?? '')?.[0] ?? ''
  const words = bye?.slice(code.length) || 'Mail server is not available, try again later'
  const reason = reasonIn(code)
  const isReason = reason !== undefined && !refusesUser(reason)
  const lead = isReason ? code.trimEnd() : '[UNAVAILABLE]'
  const hasOtherCode = code !== '' && !isReason && !/^\[CAPABILITY\b/i.test(code)
  return {
    cause: isReason ? reason : 'unavailable',
    text: `${lead} ${words}`,
    ...untaggedLines(hasOtherCode ? [...untagged, `* NO ${bye}`] : untagged),
    logText: `${lead} ${bye === undefined ? words : detail}`,
  }
}

/** By response code (RFC 5530). */
const causeByCode: Readonly<Record<string, RefusalCause>> = {
  AUTHENTICATIONFAILED: 'wrong-credentials',
  EXPIRED: 'expired',
  AUTHORIZATIONFAILED: 'not-authorized',
  NOPERM: 'not-authorized',
  CONTACTADMIN: 'contact-admin',
  PRIVACYREQUIRED: 'tls-required',
  LIMIT: 'limit',
  OVERQUOTA: 'limit',
  UNAVAILABLE: 'unavailable',
  INUSE: 'unavailable',
  SERVERBUG: 'unavailable',
  CORRUPTION: 'unavailable',
  CLIENTBUG: 'bad-command',
  CANNOT: 'bad-command',
}

function reasonIn(text: string): RefusalCause | undefined {
  const code = /^\[([^\s\]]+)/.exec(text)?.[1]?.toUpperCase() ?? ''
  return Object.hasOwn(causeByCode, code) ? causeByCode[code] : undefined
}

/**
 * The cause of a server's answer to a login. A NO without a code, or with a code that gives no reason, such as ALERT, counts as
 * a refusal of the credentials, because many servers refuse a wrong password in these ways.
 */
export function causeOf(status: 'NO' | 'BAD', text: string): RefusalCause {
  const reason = reasonIn(text) ?? (reportsTooMany(text) ? 'limit' : undefined)
  return reason ?? (status === 'BAD' ? 'bad-command' : 'wrong-credentials')
}
