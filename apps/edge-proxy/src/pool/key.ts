/**
 * Whose connection it is: a canonical name for the identity, and a digest of the secret under a key that lives only as
 * long as this process. The secret itself is not kept.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mechanismClass, type Credentials } from '../credentials.ts'

const processKey = randomBytes(64)

/** Decoded names, so that an atom, a quoted string and a literal of one name are one identity. */
export function identityOf(upstream: string, credentials: Credentials): string {
  const names = `${credentials.user.toString('latin1')}\0${credentials.authorize.toString('latin1')}`
  return `${upstream}\0${mechanismClass(credentials)}\0${names}`
}

/**
 * A keyed hash: SHA-512/256 of the key and the secret. Its length cannot be extended (FIPS 180-4 5.3.6), which is all that
 * HMAC would guard against, at twice the price.
 */
export function digestOf(secret: Buffer): Buffer {
  const message = Buffer.concat([processKey, secret])
  const digest = hash('sha512-256', message, 'buffer')
  message.fill(0)
  return digest
}

/** Constant-time: how long it takes says nothing about how much of a guess was right. */
export function isSameSecret(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b)
}
