/** Advisory locks for what only one replica may do at a time. Postgres releases them when the holder dies. */
import { sql } from 'drizzle-orm'
import type { Database, Queries } from './database.ts'
import type { Sql } from './sql.ts'

const base = 0x696d6170 // 'imap'

export const locks = {
  migrate: base,
  partitions: base + 1,
  reconcile: base + 2,
  cleanUp: base + 3,
  rollouts: base + 4,
  enrolments: base + 5,
  rollUp: base + 6,
  retention: base + 7,
  enrolling: base + 8,
} as const

/** Waits for the lock. It is held until the end of the transaction. */
export async function takeLock(queries: Queries, lock: keyof typeof locks): Promise<void> {
  await queries.execute(sql`select pg_advisory_xact_lock(${locks[lock]})`)
}

/** Runs `work` in a transaction if no other replica runs it now; otherwise returns `false` immediately. */
export async function withLock(
  db: Database,
  lock: keyof typeof locks,
  work: (tx: Sql) => Promise<void>,
): Promise<boolean> {
  return await db.sql.begin(async (tx) => {
    const [row] = await tx`select pg_try_advisory_xact_lock(${locks[lock]}) as held`
    if (row?.held !== true) return false
    await work(tx)
    return true
  })
}
