/** Wrong tokens, counted by source address, in a window that starts with the first. */
import { and, eq, gt, lt, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { loginFailures } from './table.ts'

const window = sql`interval '1 minute'`

export async function countFailures(queries: Queries, source: string): Promise<number> {
  const [row] = await queries
    .select({ failures: loginFailures.failures })
    .from(loginFailures)
    .where(and(eq(loginFailures.source, source), gt(loginFailures.since, sql`now() - ${window}`)))
  return row?.failures ?? 0
}

/** The present count. */
export async function noteFailure(queries: Queries, source: string): Promise<number> {
  const isOver = sql`${loginFailures.since} <= now() - ${window}`
  const [row] = await queries
    .insert(loginFailures)
    .values({ source, failures: 1, since: sql`now()` })
    .onConflictDoUpdate({
      target: loginFailures.source,
      set: {
        failures: sql`case when ${isOver} then 1 else ${loginFailures.failures} + 1 end`,
        since: sql`case when ${isOver} then now() else ${loginFailures.since} end`,
      },
    })
    .returning({ failures: loginFailures.failures })
  return row?.failures ?? 0
}

export async function forgetOldFailures(queries: Queries): Promise<void> {
  await queries.delete(loginFailures).where(lt(loginFailures.since, sql`now() - ${window}`))
}
