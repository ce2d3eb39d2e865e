/** Whether a token or a credential is valid, in words and colours. */
import { durationOf } from '../format/time.ts'

interface Validity {
  tone: 'good' | 'warn' | 'still'
  words: string
  isValid: boolean
}

/** An expiry within this time is worth knowing. */
const soonMs = 7 * 86_400_000

export function validityOf(
  { expiresAt, revokedAt }: { expiresAt: string | null; revokedAt: string | null },
  now: Date,
): Validity {
  if (revokedAt !== null) return { tone: 'still', words: 'revoked', isValid: false }
  if (expiresAt === null) return { tone: 'good', words: 'valid', isValid: true }
  const leftMs = Date.parse(expiresAt) - now.getTime()
  if (leftMs <= 0) return { tone: 'still', words: 'expired', isValid: false }
  const isSoon = leftMs < soonMs
  return {
    tone: isSoon ? 'warn' : 'good',
    words: isSoon ? `${durationOf(leftMs)} left` : 'valid',
    isValid: true,
  }
}
