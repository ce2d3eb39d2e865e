/**
 * Remembers when this process last found the bucket equal to Postgres. Reading all entries is expensive in a large fleet,
 * so the timer does it only if the bucket or Postgres has changed since, after a connection was lost, and every ten minutes
 * (docs/adr/0033-the-bucket-is-read-when-something-changed.md).
 */
import type { Deps } from '../../deps.ts'
import { markOfBucket } from './known-entries.ts'
import { markOfDesired } from './queries.ts'

/** Finds differences that the marks do not show, such as a row that was changed by hand. */
const readAgainMs = 600_000

const found = new WeakMap<Deps['db'], { observed: string; at: number }>()

/** What both depend on at this moment. */
export async function observe({ db, bus }: Pick<Deps, 'db' | 'bus'>): Promise<string> {
  return JSON.stringify([db.losses(), await markOfBucket(bus), await markOfDesired(db.sql)])
}

/** @param observed before the bucket was read */
export function noteEqual({ db, now }: Pick<Deps, 'db' | 'now'>, observed: string): void {
  found.set(db, { observed, at: now() })
}

export function isKnownEqual({ db, now }: Pick<Deps, 'db' | 'now'>, observed: string): boolean {
  const last = found.get(db)
  // The clock may be put back.
  return last?.observed === observed && Math.abs(now() - last.at) < readAgainMs
}
