/** The queries of operations in stages. */
import { asc, desc, eq, inArray, lt, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { operations } from './table.ts'

export type OperationRow = typeof operations.$inferSelect
export type NewOperation = typeof operations.$inferInsert

export async function insertOperation(queries: Queries, operation: NewOperation): Promise<OperationRow> {
  const [row] = await queries.insert(operations).values(operation).returning()
  if (!row) throw new Error('the operation was not written')
  return row
}

export async function findOperation(queries: Queries, id: string): Promise<OperationRow | undefined> {
  const [row] = await queries.select().from(operations).where(eq(operations.id, id))
  return row
}

/** Locks the row until the end of the transaction. */
export async function lockOperation(queries: Queries, id: string): Promise<OperationRow | undefined> {
  await queries.execute(sql`select from ${operations} where ${operations.id} = ${id} for update`)
  return await findOperation(queries, id)
}

/** Oldest first. */
export async function runningOperations(queries: Queries): Promise<OperationRow[]> {
  return await queries
    .select()
    .from(operations)
    .where(eq(operations.state, 'running'))
    .orderBy(asc(operations.number))
}

/** The operations that carry out these orders, by the id of the order. */
export async function operationsOfOrders(
  queries: Queries,
  orders: readonly string[],
): Promise<Map<string, OperationRow>> {
  if (orders.length === 0) return new Map()
  const rows = await queries
    .select()
    .from(operations)
    .where(inArray(sql`${operations.work} ->> 'order'`, [...orders]))
  return new Map(rows.flatMap((row) => (row.work.kind === 'order' ? [[row.work.order, row]] : [])))
}

export async function updateOperation(
  queries: Queries,
  id: string,
  change: Partial<NewOperation>,
): Promise<OperationRow> {
  const [row] = await queries.update(operations).set(change).where(eq(operations.id, id)).returning()
  if (!row) throw new Error('the operation is gone')
  return row
}

/** Newest first. */
export async function selectOperations(
  queries: Queries,
  page: { limit: number; before?: number | undefined },
): Promise<OperationRow[]> {
  return await queries
    .select()
    .from(operations)
    .where(page.before === undefined ? undefined : lt(operations.number, page.before))
    .orderBy(desc(operations.number))
    .limit(page.limit)
}

/** Operations name affected users, as orders do, and are deleted after a month as well. */
export async function forgetOldOperations(queries: Queries): Promise<void> {
  await queries.delete(operations).where(lt(operations.createdAt, sql`now() - interval '30 days'`))
}
