/** Orders and what became of them. */
import type { OrderAction, OrderedEdge, TargetName } from '@imapfleet/protocol'
import { and, desc, eq, isNull, lt, sql } from 'drizzle-orm'
import type { Queries } from './database.ts'
import { orders } from './schema.ts'

export type OrderRow = typeof orders.$inferSelect

export interface NewOrder {
  id: string
  givenBy: string
  at: Date
  expiresAt: Date
  target: TargetName
  action: OrderAction
}

/** Undefined if there is an order of this id already. */
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

/** The first account of an order stays; the row as it is afterwards. */
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

/** They tell where users were connected: kept for a month, the audit log stays. */
export async function forgetOldOrders(queries: Queries): Promise<void> {
  await queries.delete(orders).where(lt(orders.at, sql`now() - interval '30 days'`))
}
