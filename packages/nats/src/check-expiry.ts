/** The check of a credential's date, for `doctor` of edge and control. */
import { findingsAbout, type CheckFinding } from '@imapfleet/observe'
import type { NatsAccess } from './access.ts'

const soonMs = 7 * 86_400_000

/**
 * Nothing without a credentials file.
 * @param now milliseconds since 1970
 */
export function checkExpiry(
  { expiresAt }: Pick<NatsAccess, 'expiresAt'>,
  file: string | undefined,
  now: number,
): CheckFinding[] {
  const { ok, warn, fail } = findingsAbout('credential')
  if (file === undefined) return []
  if (expiresAt === undefined) return [ok(`${file} does not expire`)]
  const at = expiresAt.toISOString()
  const leftMs = expiresAt.getTime() - now
  if (leftMs <= 0) return [fail(`${file} expired at ${at}`, 'make a new one')]
  return [
    leftMs < soonMs ? warn(`${file} expires at ${at}`, 'make a new one') : ok(`${file} is valid until ${at}`),
  ]
}
