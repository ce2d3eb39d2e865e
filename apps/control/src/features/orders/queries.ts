/** Orders and their answers. */
import type { FleetTarget, AccessLimits, OrderCounts, OrderedEdge } from '@imapfleet/api'
import type { OrderAction } from '@imapfleet/protocol'
import { and, desc, eq, getTableColumns, isNull, lt, sql, type SQL } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { withinDomains, withinRegions } from '../../platform/db/within.ts'
import { orders } from './table.ts'

/** Without the answers. */
export type OrderRow = Omit<typeof orders.$inferSelect, 'edges' | 'counts'> & { counts: OrderCounts }

export interface NewOrder {
  id: string
  givenBy: string
  at: Date
  expiresAt: Date
  target: FleetTarget
  action: OrderAction
  region: string | null
  domain: string | null
}

const ofStatus = (status: keyof OrderCounts) => sql`count(*) filter (where answer ->> 'status' = ${status})`
const countsIn = (answers: SQL) => sql`(
  select jsonb_build_object(
    'answered', ${ofStatus('answered')}, 'failed', ${ofStatus('failed')}, 'silent', ${ofStatus('silent')})
  from jsonb_array_elements(${answers}) as answer)`

const { edges: _answers, counts: _counts, ...small } = getTableColumns(orders)
const columns = {
  ...small,
  counts: sql<OrderCounts>`coalesce(${orders.counts}, ${countsIn(sql`coalesce(${orders.edges}, '[]')`)})`,
}

/** Undefined if an order with this id exists. */
export async function insertOrder(queries: Queries, order: NewOrder): Promise<OrderRow | undefined> {
  const [row] = await queries
    .insert(orders)
    .values(order)
    .onConflictDoNothing({ target: orders.id })
    .returning(columns)
  return row
}

export async function findOrder(
  queries: Queries,
  limits: AccessLimits,
  id: string,
): Promise<OrderRow | undefined> {
  const [row] = await queries
    .select(columns)
    .from(orders)
    .where(and(eq(orders.id, id), within(limits)))
  return row
}

const within = (limits: AccessLimits): SQL | undefined =>
  and(withinRegions(limits, orders.region), withinDomains(limits, orders.domain))

/** The answers in the order in which they were stored. `before` is the id of the last edge of the previous page. */
export async function selectAnswers(
  queries: Queries,
  id: string,
  page: { limit?: number; before?: string | undefined } = {},
): Promise<OrderedEdge[]> {
  const rows = await queries.execute<{ answer: OrderedEdge }>(sql`
    with answers as (
      select answer, place from ${orders}, jsonb_array_elements(${orders.edges}) with ordinality as each (answer, place)
      where ${orders.id} = ${id})
    select answer from answers
    where place > coalesce((select place from answers where answer ->> 'id' = ${page.before ?? null}), 0)
    order by place limit ${page.limit ?? null}`)
  return rows.map(({ answer }) => answer)
}

/** Whether this edge is among the answers. */
export async function hasAnswer(queries: Queries, id: string, edge: string): Promise<boolean> {
  const found = await queries
    .select({ id: orders.id })
    .from(orders)
    .where(and(eq(orders.id, id), sql`${orders.edges} @> ${JSON.stringify([{ id: edge }])}::jsonb`))
  return found.length > 0
}

/** Stores the answers. Undefined if answers are stored already. */
export async function finishOrder(
  queries: Queries,
  id: string,
  at: Date,
  answers: OrderedEdge[],
): Promise<OrderRow | undefined> {
  const [row] = await queries
    .update(orders)
    .set({ finishedAt: at, edges: answers, counts: countsOf(answers) })
    .where(and(eq(orders.id, id), isNull(orders.finishedAt)))
    .returning(columns)
  return row
}

function countsOf(answers: readonly OrderedEdge[]): OrderCounts {
  const counts = { answered: 0, failed: 0, silent: 0 }
  for (const { status } of answers) counts[status]++
  return counts
}

/** Adds the answers of a stage. An answer replaces the one that the edge gave before. */
export async function addAnswers(queries: Queries, id: string, answers: OrderedEdge[]): Promise<void> {
  const ids = answers.map((answer) => answer.id)
  const others = sql`select coalesce(jsonb_agg(answer), '[]') from jsonb_array_elements(${orders.edges}) as answer
    where not answer ->> 'id' = any(${sql.param(ids)}::text[])`
  const all = sql`(${others}) || ${JSON.stringify(answers)}::jsonb`
  await queries
    .update(orders)
    .set({ edges: all, counts: countsIn(all) })
    .where(eq(orders.id, id))
}

/** Newest first. */
export async function selectOrders(
  queries: Queries,
  limits: AccessLimits,
  page: { limit: number; before?: number | undefined },
): Promise<OrderRow[]> {
  return await queries
    .select(columns)
    .from(orders)
    .where(and(within(limits), page.before === undefined ? undefined : lt(orders.number, page.before)))
    .orderBy(desc(orders.number))
    .limit(page.limit)
}

/** Orders show where users were connected, so they are deleted after a month. The audit log stays. */
export async function forgetOldOrders(queries: Queries): Promise<void> {
  await queries.delete(orders).where(lt(orders.at, sql`now() - interval '30 days'`))
}
