/** The rows of alerts, rules, silences and processes. Queries of messages are in message-queries.ts. */
import {
  and,
  asc,
  countDistinct,
  desc,
  eq,
  getTableColumns,
  gt,
  inArray,
  isNull,
  lt,
  ne,
  sql,
  type SQL,
} from 'drizzle-orm'
import { alertRule, alertRuleNames, type AccessLimits, type AlertRuleName } from '@imapfleet/api'
import type { Queries } from '../../platform/db/database.ts'
import { withinRegions } from '../../platform/db/within.ts'
import { alertRuleChanges, alertSilences, alerts, controlReplicas, type ReplicaReport } from './table.ts'

export type AlertRow = typeof alerts.$inferSelect
export type SilenceRow = typeof alertSilences.$inferSelect
export type RuleChangeRow = typeof alertRuleChanges.$inferSelect

export interface AlertPage {
  limit: number
  before?: number | undefined
  state: 'current' | 'open' | 'pending' | 'resolved' | 'all'
  region?: string | undefined
  edge?: string | undefined
  rule?: AlertRuleName | undefined
}

const pageRules = alertRuleNames.filter((name) => alertRule(name).severity === 'page')
const isPage = inArray(alerts.rule, pageRules)
const newestFirst = [desc(alerts.id)]
const pagesFirst = [sql`${isPage} desc`, ...newestFirst]

/** Pages come before tickets, unless the list is a log: tickets must not hide what needs someone now. */
const isByUrgency = ({ state }: Pick<AlertPage, 'state'>): boolean => state !== 'resolved' && state !== 'all'

/**
 * The rows behind the last one of the page before. By urgency, a cursor whose row is gone counts as a page: tickets can be
 * repeated, but nothing is left out.
 */
function behind(limits: AccessLimits, page: AlertPage): SQL | undefined {
  const { before } = page
  if (before === undefined) return undefined
  if (!isByUrgency(page)) return lt(alerts.id, before)
  const its = and(eq(alerts.id, before), withinRegions(limits, alerts.region))
  return sql`(${isPage}, ${alerts.id}) < (coalesce((select ${isPage} from ${alerts} where ${its}), true), ${before}::bigint)`
}

/** Newest first, or pages first. Alerts without a region are within no limits. */
export async function selectAlerts(
  queries: Queries,
  limits: AccessLimits,
  page: AlertPage,
): Promise<AlertRow[]> {
  return await queries
    .select()
    .from(alerts)
    .where(
      and(
        behind(limits, page),
        withinRegions(limits, alerts.region),
        ofState(page.state),
        page.region === undefined ? undefined : eq(alerts.region, page.region),
        page.edge === undefined ? undefined : eq(alerts.edge, page.edge),
        page.rule === undefined ? undefined : eq(alerts.rule, page.rule),
      ),
    )
    .orderBy(...(isByUrgency(page) ? pagesFirst : newestFirst))
    .limit(page.limit)
}

function ofState(state: AlertPage['state']): SQL | undefined {
  if (state === 'all') return undefined
  return state === 'current' ? ne(alerts.state, 'resolved') : eq(alerts.state, state)
}

/** How many edges of each region have an open alert of this rule. Regions without one are missing. */
export async function countOpenByRegion(
  queries: Queries,
  limits: AccessLimits,
  rule: AlertRuleName,
): Promise<Map<string | null, number>> {
  const rows = await queries
    .select({ region: alerts.region, edges: countDistinct(alerts.edge) })
    .from(alerts)
    .where(and(eq(alerts.rule, rule), eq(alerts.state, 'open'), withinRegions(limits, alerts.region)))
    .groupBy(alerts.region)
  return new Map(rows.map((row) => [row.region, row.edges]))
}

export async function findAlert(
  queries: Queries,
  limits: AccessLimits,
  id: number,
): Promise<AlertRow | undefined> {
  const [row] = await queries
    .select()
    .from(alerts)
    .where(and(eq(alerts.id, id), withinRegions(limits, alerts.region)))
  return row
}

/** Locks the row until the end of the transaction. */
export async function lockAlert(
  queries: Queries,
  limits: AccessLimits,
  id: number,
): Promise<AlertRow | undefined> {
  await queries.execute(sql`select from ${alerts} where ${alerts.id} = ${id} for update`)
  return await findAlert(queries, limits, id)
}

/** Pending and open ones. Locks them, so that an acknowledgement at the same time is not overwritten. */
export async function lockCurrentAlerts(queries: Queries): Promise<AlertRow[]> {
  await queries.execute(
    sql`select from ${alerts} where ${alerts.state} <> 'resolved' order by ${alerts.id} for update`,
  )
  return await queries.select().from(alerts).where(ne(alerts.state, 'resolved')).orderBy(asc(alerts.id))
}

export async function insertAlerts(
  queries: Queries,
  rows: readonly (typeof alerts.$inferInsert)[],
): Promise<AlertRow[]> {
  const inserted: AlertRow[] = []
  for (let from = 0; from < rows.length; from += rowsAtOnce)
    inserted.push(
      ...(await queries
        .insert(alerts)
        .values(rows.slice(from, from + rowsAtOnce))
        .returning()),
    )
  return inserted
}

/** Postgres takes 65,535 parameters in one statement. */
const rowsAtOnce = 1_000

/** One statement for all: after an outage each edge of a large fleet can have several. */
export async function updateAlerts(queries: Queries, rows: readonly AlertRow[]): Promise<void> {
  for (let from = 0; from < rows.length; from += rowsAtOnce)
    await queries
      .insert(alerts)
      .values(rows.slice(from, from + rowsAtOnce))
      .onConflictDoUpdate({ target: alerts.id, set: written })
}

/** Each column, as the row that could not be inserted has it. */
const written = Object.fromEntries(
  Object.entries(getTableColumns(alerts)).map(([key, { name }]) => [
    key,
    sql`excluded.${sql.identifier(name)}`,
  ]),
)

export async function deleteAlerts(queries: Queries, ids: readonly number[]): Promise<void> {
  if (ids.length > 0) await queries.delete(alerts).where(inArray(alerts.id, [...ids]))
}

export async function forgetOldAlerts(queries: Queries): Promise<void> {
  await queries.delete(alerts).where(lt(alerts.resolvedAt, sql`now() - interval '90 days'`))
  await queries.delete(alertSilences).where(lt(alertSilences.endsAt, sql`now() - interval '90 days'`))
}

export async function selectRuleChanges(queries: Queries): Promise<RuleChangeRow[]> {
  return await queries.select().from(alertRuleChanges)
}

/** Locks all changes until the end of the transaction, so that two requests do not undo each other. */
export async function lockRuleChange(
  queries: Queries,
  rule: AlertRuleName,
): Promise<RuleChangeRow | undefined> {
  await queries.execute(sql`lock table ${alertRuleChanges} in share row exclusive mode`)
  const [row] = await queries.select().from(alertRuleChanges).where(eq(alertRuleChanges.rule, rule))
  return row
}

export async function writeRuleChange(queries: Queries, row: RuleChangeRow): Promise<void> {
  const { rule, ...rest } = row
  await queries
    .insert(alertRuleChanges)
    .values({ rule, ...rest })
    .onConflictDoUpdate({ target: alertRuleChanges.rule, set: rest })
}

export async function deleteRuleChange(queries: Queries, rule: AlertRuleName): Promise<void> {
  await queries.delete(alertRuleChanges).where(eq(alertRuleChanges.rule, rule))
}

export async function insertSilence(
  queries: Queries,
  silence: typeof alertSilences.$inferInsert,
): Promise<SilenceRow> {
  const [row] = await queries.insert(alertSilences).values(silence).returning()
  if (!row) throw new Error('the silence was not written')
  return row
}

/** Newest first. */
export async function selectSilences(
  queries: Queries,
  page: { limit: number; before?: number | undefined },
): Promise<SilenceRow[]> {
  return await queries
    .select()
    .from(alertSilences)
    .where(page.before === undefined ? undefined : lt(alertSilences.id, page.before))
    .orderBy(desc(alertSilences.id))
    .limit(page.limit)
}

export async function activeSilences(queries: Queries, now: Date): Promise<SilenceRow[]> {
  return await queries
    .select()
    .from(alertSilences)
    .where(and(gt(alertSilences.endsAt, now), isNull(alertSilences.endedBy)))
    .orderBy(asc(alertSilences.id))
}

export async function findSilence(queries: Queries, id: number): Promise<SilenceRow | undefined> {
  const [row] = await queries.select().from(alertSilences).where(eq(alertSilences.id, id))
  return row
}

/** Undefined if it has ended before. */
export async function markSilenceEnded(
  queries: Queries,
  id: number,
  by: string,
  at: Date,
): Promise<SilenceRow | undefined> {
  const [row] = await queries
    .update(alertSilences)
    .set({ endsAt: at, endedBy: by })
    .where(and(eq(alertSilences.id, id), isNull(alertSilences.endedBy), gt(alertSilences.endsAt, at)))
    .returning()
  return row
}

export async function writeReplica(queries: Queries, name: string, report: ReplicaReport): Promise<void> {
  const now = { seenAt: sql`now()`, report }
  await queries
    .insert(controlReplicas)
    .values({ name, ...now })
    .onConflictDoUpdate({ target: controlReplicas.name, set: now })
}

export async function dropReplica(queries: Queries, name: string): Promise<void> {
  await queries.delete(controlReplicas).where(eq(controlReplicas.name, name))
}

/** A process that has not reported for a day will not come back. */
const replicaForgotten = sql`interval '1 day'`

export async function selectReplicas(
  queries: Queries,
): Promise<{ name: string; ageMs: number; report: ReplicaReport }[]> {
  return await queries
    .select({
      name: controlReplicas.name,
      ageMs: sql<number>`(extract(epoch from now() - ${controlReplicas.seenAt}) * 1000)::float8`,
      report: controlReplicas.report,
    })
    .from(controlReplicas)
    .where(gt(controlReplicas.seenAt, sql`now() - ${replicaForgotten}`))
    .orderBy(asc(controlReplicas.name))
}

export async function forgetOldReplicas(queries: Queries): Promise<void> {
  await queries.delete(controlReplicas).where(lt(controlReplicas.seenAt, sql`now() - ${replicaForgotten}`))
}
