/**
 * Whose connection it is: a canonical name for the identity, and a digest of the secret under a key that lives only as
 * long as this process. The secret itself is not kept.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import { mechanismClass, type Credentials } from '../credentials.ts'

const processKey = randomBytes(32)

/** Decoded names, so that an atom, a quoted string and a literal of one name are one identity. */
export function identityOf(upstream: string, credentials: Credentials): string {
  const names = `${credentials.user.toString('latin1')}\0${credentials.authorize.toString('latin1')}`
  return `${upstream}\0${mechanismClass(credentials)}\0${names}`
}

export function digestOf(secret: Buffer): Buffer {
  return createHmac('sha256', processKey).update(secret).digest()
}

/** Constant-time: how long it takes says nothing about how much of a guess was right. */
export function isSameSecret(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b)
}
