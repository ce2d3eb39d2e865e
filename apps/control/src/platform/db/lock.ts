/**
 * Advisory locks, for short transactions that must run one after the other. What takes longer, or runs at intervals, has
 * a lease instead (platform/ticks/leases.ts).
 */
import { sql } from 'drizzle-orm'
import type { Queries } from './database.ts'

const base = 0x696d6170 // 'imap'

export const locks = { migrate: base, enrolling: base + 8, operations: base + 9 } as const

/** Waits for the lock. It is held until the end of the transaction. */
export async function takeLock(queries: Queries, lock: keyof typeof locks): Promise<void> {
  await queries.execute(sql`select pg_advisory_xact_lock(${locks[lock]})`)
}
