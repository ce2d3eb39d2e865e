/** Rollouts: which wave has the newest revision, and since when. */
import type { AccessLimits } from '@imapfleet/api'
import { and, desc, eq, getTableColumns, gte, inArray, isNull, lt, lte, or, sql, type SQL } from 'drizzle-orm'
import type { Rolling } from '../desired/service.ts'
import type { Queries } from '../../platform/db/database.ts'
import { withinLayers, type RevisionRow } from '../config/queries.ts'
import { revisions } from '../config/table.ts'
import { rollouts } from './table.ts'

export type RolloutRow = typeof rollouts.$inferSelect

/** All times of rollouts are from the clock of the database. */
export const databaseNow = sql`now()`

/** The columns of a table, whose times can be expressions. */
type Written<T> = { [K in keyof T]: T[K] | SQL }

const onItsWay = inArray(rollouts.state, ['running', 'paused'])

export async function insertRollout(
  queries: Queries,
  rollout: Written<typeof rollouts.$inferInsert>,
): Promise<void> {
  await queries.insert(rollouts).values(rollout)
}

/** The rollout that is running or paused. */
export async function activeRollout(queries: Queries): Promise<RolloutRow | undefined> {
  const [row] = await queries.select().from(rollouts).where(onItsWay)
  return row
}

export async function findRollout(queries: Queries, revision: number): Promise<RolloutRow | undefined> {
  const [row] = await queries.select().from(rollouts).where(eq(rollouts.revision, revision))
  return row
}

export async function updateRollout(
  queries: Queries,
  revision: number,
  change: Written<Partial<typeof rollouts.$inferInsert>>,
): Promise<void> {
  await queries.update(rollouts).set(change).where(eq(rollouts.revision, revision))
}

/** The current rollout no longer waits for this edge, even if the edge returns. */
export async function skipEdge(queries: Queries, id: string): Promise<void> {
  const row = await activeRollout(queries)
  const isReached = row?.waves.slice(0, row.wave + 1).some(({ edges }) => edges.includes(id))
  if (!row || !isReached || row.skipped.includes(id)) return
  await updateRollout(queries, row.revision, { skipped: [...row.skipped, id] })
}

/** Newest first. */
export async function selectRollouts(
  queries: Queries,
  limits: AccessLimits,
  page: { limit: number; before?: number | undefined },
): Promise<RolloutRow[]> {
  return await queries
    .select(getTableColumns(rollouts))
    .from(rollouts)
    .innerJoin(revisions, eq(revisions.revision, rollouts.revision))
    .where(
      and(
        withinLayers(limits, revisions.layerKind, revisions.layerName),
        page.before === undefined ? undefined : lt(rollouts.revision, page.before),
      ),
    )
    .orderBy(desc(rollouts.revision))
    .limit(page.limit)
}

/** Rollouts that ran for some of this time, newest first. */
export async function selectRolloutsBetween(
  queries: Queries,
  limits: AccessLimits,
  from: Date,
  to: Date,
): Promise<(RolloutRow & Pick<RevisionRow, 'layerKind' | 'layerName' | 'changes'>)[]> {
  const { layerKind, layerName, changes } = revisions
  return await queries
    .select({ ...getTableColumns(rollouts), layerKind, layerName, changes })
    .from(rollouts)
    .innerJoin(revisions, eq(revisions.revision, rollouts.revision))
    .where(
      and(
        withinLayers(limits, layerKind, layerName),
        lte(rollouts.createdAt, to),
        or(isNull(rollouts.finishedAt), gte(rollouts.finishedAt, from)),
      ),
    )
    .orderBy(desc(rollouts.revision))
    .limit(20)
}

/** The revision being rolled out, with the edges that it has reached. */
export async function rollingRevision(queries: Queries): Promise<Rolling | undefined> {
  const [row] = await queries
    .select({
      kind: revisions.layerKind,
      name: revisions.layerName,
      revision: revisions.revision,
      version: revisions.version,
      document: revisions.document,
      waves: rollouts.waves,
      wave: rollouts.wave,
    })
    .from(rollouts)
    .innerJoin(revisions, eq(revisions.revision, rollouts.revision))
    .where(onItsWay)
  if (!row) return undefined
  const { waves, wave, ...head } = row
  return { ...head, reached: new Set(waves.slice(0, wave + 1).flatMap(({ edges }) => edges)) }
}
