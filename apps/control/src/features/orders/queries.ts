/** Orders and their answers. */
import type { OrderedEdge, FleetTarget } from '@imapfleet/api'
import type { OrderAction } from '@imapfleet/protocol'
import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { orders } from './table.ts'

export type OrderRow = typeof orders.$inferSelect

export interface NewOrder {
  id: string
  givenBy: string
  at: Date
  expiresAt: Date
  target: FleetTarget
  action: OrderAction
}

/** Undefined if an order with this id exists. */
export async function insertOrder(queries: Queries, order: NewOrder): Promise<OrderRow | undefined> {
  const [row] = await queries
    .insert(orders)
    .values(order)
    .onConflictDoNothing({ target: orders.id })
    .returning()
  return row
}

export async function findOrder(queries: Queries, id: string): Promise<OrderRow | undefined> {
  const [row] = await queries.select().from(orders).where(eq(orders.id, id))
  return row
}

/** Stores the answers if none are stored yet. Returns the row. */
export async function finishOrder(
  queries: Queries,
  id: string,
  at: Date,
  edges: OrderedEdge[],
): Promise<OrderRow> {
  const [written] = await queries
    .update(orders)
    .set({ finishedAt: at, edges })
    .where(and(eq(orders.id, id), isNull(orders.finishedAt)))
    .returning()
  const row = written ?? (await findOrder(queries, id))
  if (!row) throw new Error('the order is gone')
  return row
}

/** Adds the answers of a stage. An answer replaces the one that the edge gave before. */
export async function addAnswers(queries: Queries, id: string, answers: OrderedEdge[]): Promise<void> {
  const ids = answers.map((answer) => answer.id)
  const others = sql`select coalesce(jsonb_agg(answer), '[]') from jsonb_array_elements(${orders.edges}) as answer
    where not answer ->> 'id' = any(${sql.param(ids)}::text[])`
  await queries
    .update(orders)
    .set({ edges: sql`(${others}) || ${JSON.stringify(answers)}::jsonb` })
    .where(eq(orders.id, id))
}

/** Newest first. */
export async function selectOrders(
  queries: Queries,
  page: { limit: number; before?: number | undefined },
): Promise<OrderRow[]> {
  return await queries
    .select()
    .from(orders)
    .where(page.before === undefined ? undefined : lt(orders.number, page.before))
    .orderBy(desc(orders.number))
    .limit(page.limit)
}

/** Orders show where users were connected, so they are deleted after a month. The audit log stays. */
export async function forgetOldOrders(queries: Queries): Promise<void> {
  await queries.delete(orders).where(lt(orders.at, sql`now() - interval '30 days'`))
}
