/** How long tokens and credentials are valid. */
import { dayAndClock } from './time.ts'

interface Limited {
  expiresAt: string | null
  revokedAt: string | null
}

/** `valid`, `valid until ...`, `expired ...`, `revoked ...`. */
export function validityText(limited: Limited, now: number): string {
  const { expiresAt, revokedAt } = limited
  if (revokedAt !== null) return `revoked ${dayAndClock(revokedAt)}`
  if (expiresAt === null) return 'valid'
  return `${isValid(limited, now) ? 'valid until' : 'expired'} ${dayAndClock(expiresAt)}`
}

export const isValid = ({ expiresAt, revokedAt }: Limited, now: number): boolean =>
  revokedAt === null && (expiresAt === null || Date.parse(expiresAt) > now)
