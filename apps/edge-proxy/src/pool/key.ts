/**
 * The key of a connection: a canonical name of its user, a digest of the secret with a key that is generated at process
 * start, and the extensions that are enabled on it. The secret itself is not kept.
 */
import { hash } from 'node:crypto'
import { mechanismClass, type Credentials } from '../imap/credentials.ts'
import { runtime } from '../runtime.ts'
import { withCondstore, type ServerConnection } from '../server/server-connection.ts'

const processKey = Buffer.alloc(32)
runtime.fillRandom(processKey)

/** The names are decoded: an atom, a quoted string and a literal with the same name are the same identity. */
export function identityOf(serverName: string, credentials: Credentials): string {
  const names = `${credentials.user.toString('latin1')}\0${credentials.authzid.toString('latin1')}`
  return `${serverName}\0${mechanismClass(credentials)}\0${names}`
}

/** A login name for comparison, in lower case: servers compare names without regard to the case of ASCII letters. */
export const userKeyOf = (name: string): string =>
  /[A-Z]/.test(name) ? name.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase()) : name

/**
 * A keyed hash: SHA-256 of key, secret and key again, which rules out length extension (the envelope of RFC 1828) at a
 * quarter of the cost of an HMAC. A string of 32 one-byte characters takes less memory than a buffer.
 */
export function digestOf(secret: Buffer): string {
  const message = Buffer.concat([processKey, secret, processKey])
  const digest = hash('sha256', message, 'latin1')
  message.fill(0)
  return digest
}

/** Constant-time comparison of two digests. */
export function isSameSecret(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}

/**
 * Whether this connection may serve a login of this user with this secret.
 * @param enabledKey the required `enabledKey` of the connection; empty for a clean connection
 */
export function fits(
  connection: ServerConnection,
  { identity, secretDigest }: { readonly identity: string; readonly secretDigest: string },
  enabledKey = '',
): boolean {
  return (
    connection.identity === identity &&
    connection.enabledKey === enabledKey &&
    isSameSecret(connection.secretDigest, secretDigest)
  )
}

/** Whether this connection may be leased to this login: it is clean, or has CONDSTORE and the client uses that. */
export const fitsLogin = (
  connection: ServerConnection,
  request: { readonly identity: string; readonly secretDigest: string; readonly usesCondstore: boolean },
): boolean =>
  fits(connection, request) || (request.usesCondstore && fits(connection, request, withCondstore('')))
