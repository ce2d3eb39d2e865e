/**
 * Whose connection it is: a canonical name for the identity, and a digest of the secret under a key that lives only as
 * long as this process. The secret itself is not kept.
 */
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { mechanismClass, type Credentials } from '../credentials.ts'

const blockBytes = 64
const processKey = randomBytes(blockBytes)
const innerKey = processKey.map((byte) => byte ^ 0x36)
const outerKey = processKey.map((byte) => byte ^ 0x5c)

/** Decoded names, so that an atom, a quoted string and a literal of one name are one identity. */
export function identityOf(upstream: string, credentials: Credentials): string {
  const names = `${credentials.user.toString('latin1')}\0${credentials.authorize.toString('latin1')}`
  return `${upstream}\0${mechanismClass(credentials)}\0${names}`
}

/** HMAC-SHA-256 (RFC 2104) in two calls of `hash`: an Hmac object costs more than all the rest of a lease. */
export function digestOf(secret: Buffer): Buffer {
  const message = Buffer.concat([innerKey, secret])
  const inner = hash('sha256', message, 'buffer')
  message.fill(0)
  return hash('sha256', Buffer.concat([outerKey, inner]), 'buffer')
}

/** Constant-time: how long it takes says nothing about how much of a guess was right. */
export function isSameSecret(a: Buffer, b: Buffer): boolean {
  return timingSafeEqual(a, b)
}
