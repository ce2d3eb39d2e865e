/** What a login carries, decoded: the same user in an atom, quoted or a literal is the same here. */
import { CR, LF } from './bytes.ts'
import type { Mechanism } from './sasl.ts'

export interface Credentials {
  user: Buffer
  /** Whom to act as, if someone else than `user`. */
  authzid: Buffer
  /** A password, or for the OAuth mechanisms the whole SASL message with its token. */
  secret: Buffer
  /** How the client said it; `command` is LOGIN. */
  mechanism: 'command' | Mechanism
}

/** Passwords are one class, whichever mechanism brought them; tokens are another. */
export function mechanismClass(credentials: Credentials): 'password' | 'token' {
  return credentials.mechanism === 'XOAUTH2' || credentials.mechanism === 'OAUTHBEARER' ? 'token' : 'password'
}

/** Longer than any mail address (RFC 5321 4.5.3.1), and short enough for logs and keys. */
const nameBytesMax = 1024

/** CR, LF and NUL never go to a server (they would end a command early); nor does an empty user. */
export function isSendable(credentials: Credentials): boolean {
  return (
    credentials.user.length > 0 &&
    credentials.user.length <= nameBytesMax &&
    credentials.authzid.length <= nameBytesMax &&
    isPlain(credentials.user) &&
    isPlain(credentials.authzid) &&
    (mechanismClass(credentials) === 'token' || isPlain(credentials.secret))
  )
}

/** The user's name for logs, routes and lists of people; bytes that are no UTF-8 show as U+FFFD. */
export function userName(credentials: Credentials): string {
  return (credentials.authzid.length > 0 ? credentials.authzid : credentials.user).toString('utf8')
}

function isPlain(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte === 0 || byte === LF || byte === CR) return false
  return true
}

/**
 * When an OAuth token ends, if it is a JWT that says so (RFC 7519 4.1.4), in milliseconds since 1970; else Infinity. The
 * server alone judges the token: this only keeps a connection from outliving it.
 */
export function expiryOf(credentials: Credentials): number {
  if (mechanismClass(credentials) !== 'token') return Infinity
  const payload = /bearer +[\w-]+\.([\w-]+)\./i.exec(credentials.secret.toString('latin1'))?.[1]
  if (payload === undefined) return Infinity
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { exp?: unknown }
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : Infinity
  } catch {
    return Infinity
  }
}
