/**
 * Whose connection it is: a canonical name for the identity, and a digest of the secret under a key that lives only as
 * long as this process. The secret itself is not kept.
 */
import { hash, randomBytes } from 'node:crypto'
import { mechanismClass, type Credentials } from '../imap/credentials.ts'

const processKey = randomBytes(32)

/** Decoded names, so that an atom, a quoted string and a literal of one name are one identity. */
export function identityOf(upstream: string, credentials: Credentials): string {
  const names = `${credentials.user.toString('latin1')}\0${credentials.authzid.toString('latin1')}`
  return `${upstream}\0${mechanismClass(credentials)}\0${names}`
}

/**
 * A keyed hash: SHA-256 of key, secret and key again, so that nobody can lengthen it (the envelope of RFC 1828), at a quarter
 * of an HMAC's price. 32 characters of one byte each take less memory than a buffer.
 */
export function digestOf(secret: Buffer): string {
  const message = Buffer.concat([processKey, secret, processKey])
  const digest = hash('sha256', message, 'latin1')
  message.fill(0)
  return digest
}

/** Constant-time: how long it takes says nothing about how much of a guess was right. */
export function isSameSecret(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let at = 0; at < a.length; at++) difference |= a.charCodeAt(at) ^ b.charCodeAt(at)
  return difference === 0
}
