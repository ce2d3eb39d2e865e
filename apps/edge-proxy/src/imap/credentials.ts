/** Decoded credentials, independent of their encoding by the client. */
import { CR, LF } from './bytes.ts'
import type { Mechanism } from './sasl.ts'

export interface Credentials {
  user: Buffer
  /** The user to act as (RFC 4616); empty: `user` itself. */
  authzid: Buffer
  /** The password; for the OAuth mechanisms, the complete SASL message with the token. */
  secret: Buffer
  /** SASL mechanism; `command` for LOGIN. */
  mechanism: 'command' | Mechanism
}

/** The class of the secret. A password and a token never have the same key. */
export function mechanismClass(credentials: Credentials): 'password' | 'token' {
  return credentials.mechanism === 'XOAUTH2' || credentials.mechanism === 'OAUTHBEARER' ? 'token' : 'password'
}

/**
 * The secret that proves the identity of the user: the password or the token. The same token has different messages in XOAUTH2
 * and OAUTHBEARER, and OAUTHBEARER messages may name different hosts.
 */
export function proofIn(credentials: Credentials): Buffer {
  const { secret } = credentials
  if (mechanismClass(credentials) === 'password') return secret
  // eslint-disable-next-line no-control-regex -- ^A separates
  const found = /(?:^|\x01)auth=bearer +([^\x01]*)/i.exec(secret.toString('latin1'))
  const token = found?.[1]?.trimEnd()
  if (!found || !token) return secret
  const at = found.index + found[0].length - found[1]!.length
  return secret.subarray(at, at + token.length)
}

/** Longer than any mail address (RFC 5321 4.5.3.1), short enough for logs and keys. */
const nameBytesMax = 1024

/** Whether the credentials may be sent to a server: the user is not empty, and no CR, LF or NUL could end a command early. */
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
 * Expiry of the OAuth token in milliseconds since 1970, if it is a JWT with `exp` (RFC 7519 4.1.4); otherwise Infinity.
 * Only the server verifies the token. Its expiry prevents later reuse of the connection.
 */
export function expiryOf(credentials: Credentials): number {
  if (mechanismClass(credentials) !== 'token') return Infinity
  const payload = /^[\w-]+\.([\w-]+)\./.exec(proofIn(credentials).toString('latin1'))?.[1]
  if (payload === undefined) return Infinity
  try {
    const { exp } = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as { exp?: unknown }
    return typeof exp === 'number' && Number.isFinite(exp) ? exp * 1000 : Infinity
  } catch {
    return Infinity
  }
}

/** The values that must not be logged: the secret, and for the OAuth mechanisms also the token in it (RFC 7628 3.1). */
export function secretsOf({ secret }: Credentials): Buffer[] {
  // eslint-disable-next-line no-control-regex -- ^A ends the token
  const tokens = secret.toString('latin1').matchAll(/bearer +([^\x01]+)/gi)
  return [secret, ...[...tokens].map(([, token = '']) => Buffer.from(token.trim(), 'latin1'))]
}

const redacted = '[redacted]'

/**
 * Removes secrets from a server's reply before it is logged, because a server may repeat the refused command. Secrets are
 * found unencoded, as quoted strings, and in base64.
 * @param text one character for each byte (ISO 8859-1), like all lines of the exchange
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
