/** Credentials of edges, by public key. */
import { and, desc, eq, inArray, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { enrolments } from './table.ts'

export type EnrolmentRow = typeof enrolments.$inferSelect

export async function insertEnrolment(
  queries: Queries,
  enrolment: typeof enrolments.$inferInsert,
): Promise<EnrolmentRow> {
  const [row] = await queries.insert(enrolments).values(enrolment).returning()
  if (!row) throw new Error('the enrolment was not written')
  return row
}

/** Newest first, including revoked ones. */
export async function selectEnrolments(
  queries: Queries,
  page: { limit: number; before?: number | undefined; edge?: string | undefined },
): Promise<EnrolmentRow[]> {
  return await queries
    .select()
    .from(enrolments)
    .where(
      and(
        page.before === undefined ? undefined : lt(enrolments.number, page.before),
        page.edge === undefined ? undefined : eq(enrolments.edge, page.edge),
      ),
    )
    .orderBy(desc(enrolments.number))
    .limit(page.limit)
}

/** All credentials of one edge, or one of them. */
const of = (edge: string, key: string | undefined) =>
  and(eq(enrolments.edge, edge), key === undefined ? undefined : eq(enrolments.key, key))

export async function enrolmentsOf(queries: Queries, edge: string, key?: string): Promise<EnrolmentRow[]> {
  return await queries.select().from(enrolments).where(of(edge, key)).orderBy(desc(enrolments.number))
}

/** The credentials that were not revoked before. */
export async function markEnrolmentsRevoked(
  queries: Queries,
  { edge, key, by, at }: { edge: string; key?: string | undefined; by: string; at: Date },
): Promise<EnrolmentRow[]> {
  return await queries
    .update(enrolments)
    .set({ revokedBy: by, revokedAt: at })
    .where(and(of(edge, key), isNull(enrolments.revokedAt)))
    .returning()
}

export async function revokedEnrolments(queries: Queries): Promise<EnrolmentRow[]> {
  return await queries.select().from(enrolments).where(isNotNull(enrolments.revokedAt))
}

/** Marks the revocations that NATS has stored. */
export async function noteEnforced(queries: Queries, at: Date, rows: readonly EnrolmentRow[]): Promise<void> {
  await queries
    .update(enrolments)
    .set({ enforcedAt: at })
    .where(
      and(
        inArray(
          enrolments.key,
          rows.map(({ key }) => key),
        ),
        isNull(enrolments.enforcedAt),
      ),
    )
}

/** Edge → whether it has a valid credential, of these edges. Edges that never had one are missing. */
export async function enrolledEdges(
  queries: Queries,
  edges: readonly string[],
): Promise<Map<string, boolean>> {
  const rows = await queries
    .select({
      edge: enrolments.edge,
      isValid: sql<boolean>`bool_or(${enrolments.revokedAt} is null and coalesce(${enrolments.expiresAt} > now(), true))`,
    })
    .from(enrolments)
    .where(sql`${enrolments.edge} = any(${sql.param([...edges])}::text[])`)
    .groupBy(enrolments.edge)
  return new Map(rows.map(({ edge, isValid }) => [edge, isValid]))
}
