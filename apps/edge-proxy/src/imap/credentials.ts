/** The decoded credentials of a login, the same whether they came in an atom, a quoted string or a literal. */
import { CR, LF } from './bytes.ts'
import type { Mechanism } from './sasl.ts'

export interface Credentials {
  user: Buffer
  /** The user to act as (RFC 4616); empty: `user` itself. */
  authzid: Buffer
  /** The password; for the OAuth mechanisms, the whole SASL message with the token. */
  secret: Buffer
  /** `command` is LOGIN. */
  mechanism: 'command' | Mechanism
}

/** A password is the same by any mechanism; a token is another kind of secret. */
export function mechanismClass(credentials: Credentials): 'password' | 'token' {
  return credentials.mechanism === 'XOAUTH2' || credentials.mechanism === 'OAUTHBEARER' ? 'token' : 'password'
}

/** Longer than any mail address (RFC 5321 4.5.3.1), short enough for logs and keys. */
const nameBytesMax = 1024

/** Whether a server may get them: no empty user, and no CR, LF or NUL, which would end a command early. */
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

/** The user's name for logs, routes and lists. Bytes that are not UTF-8 become U+FFFD. */
export function userName(credentials: Credentials): string {
  return (credentials.authzid.length > 0 ? credentials.authzid : credentials.user).toString('utf8')
}

function isPlain(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte === 0 || byte === LF || byte === CR) return false
  return true
}

/**
 * When the OAuth token expires, if it is a JWT with `exp` (RFC 7519 4.1.4), in milliseconds since 1970; otherwise
 * Infinity. Only the server verifies the token. This keeps a connection from being reused after it expired.
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

const redacted = '[redacted]'

/**
 * A server's words for the log: a server may repeat the command that it refuses. Secrets are replaced as they are, as a
 * quoted string, and within base64.
 * @param text in ISO 8859-1, as all lines of the exchange
 */
export function withoutSecrets(text: string, secrets: readonly Buffer[]): string {
  let clean = text
  for (const secret of secrets) {
    const plain = secret.toString('latin1')
    if (plain === '') continue
    const quoted = plain.replaceAll(/["\\]/g, String.raw`\$&`)
    clean = clean
      .replaceAll(/[A-Za-z0-9+/]{4,}={0,2}/g, (token) =>
        Buffer.from(token, 'base64').includes(secret) ? redacted : token,
      )
      .replaceAll(quoted, redacted)
      .replaceAll(plain, redacted)
  }
  return clean
}
