/** The rows of refused messages. */
import { gt, lt, sql } from 'drizzle-orm'
import type { Database, Queries } from '../../platform/db/database.ts'
import type { Refusal } from '../../platform/nats/intake.ts'
import { refusals } from './table.ts'

export type RefusalRow = typeof refusals.$inferSelect

/** After this time without another one, a refusal is over, and the count starts again. An edge sends a dozen reports in it. */
export const cleanMinutes = 2
const over = sql`now() - ${cleanMinutes} * interval '1 minute'`

/** Returns the ids of those edges that are registered. What others sent is not stored. */
export async function addRefusals(db: Database, noted: readonly Refusal[]): Promise<Set<string>> {
  const column = <T>(of: (refusal: Refusal) => T) => noted.map(of)
  const goesOn = db.sql`refusals.last_at > now() - ${cleanMinutes} * interval '1 minute'`
  const rows = await db.sql<{ edge: string }[]>`
    insert into refusals (edge, sent_as, kind, reason, count, first_at, last_at)
    select edge, sent_as, kind, reason, count, now(), now() from unnest(
      ${column(({ edge }) => edge)}::text[], ${column(({ sentAs }) => sentAs)}::text[],
      ${column(({ kind }) => kind)}::text[], ${column(({ reason }) => reason)}::text[],
      ${column(({ count }) => count)}::bigint[]
    ) as noted (edge, sent_as, kind, reason, count)
    where exists (select from edges where edges.id = noted.edge)
    on conflict (edge, sent_as, kind) do update set
      reason = excluded.reason, last_at = now(),
      count = excluded.count + case when ${goesOn} then refusals.count else 0 end,
      first_at = case when ${goesOn} then refusals.first_at else now() end
    returning edge`
  return new Set(rows.map(({ edge }) => edge))
}

export async function selectRefusals(queries: Queries): Promise<RefusalRow[]> {
  return await queries.select().from(refusals).where(gt(refusals.lastAt, over)).orderBy(refusals.kind)
}

export async function deleteOldRefusals(queries: Queries): Promise<void> {
  await queries.delete(refusals).where(lt(refusals.lastAt, over))
}
