/** The rows of messages to channels: the outbox. */
import { and, asc, desc, eq, gt, inArray, lt, max, sql } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { alertMessages } from './table.ts'

export type MessageRow = typeof alertMessages.$inferSelect

export async function insertMessages(
  queries: Queries,
  rows: readonly (typeof alertMessages.$inferInsert)[],
): Promise<MessageRow[]> {
  return rows.length === 0
    ? []
    : await queries
        .insert(alertMessages)
        .values([...rows])
        .returning()
}

/** The oldest waiting message of a channel, even if its next attempt is due later, so that the messages stay in order. */
export async function oldestWaiting(queries: Queries, channel: string): Promise<MessageRow | undefined> {
  const [row] = await queries
    .select()
    .from(alertMessages)
    .where(and(eq(alertMessages.channel, channel), eq(alertMessages.state, 'waiting')))
    .orderBy(asc(alertMessages.number))
    .limit(1)
  return row
}

/** Without effect if it does not wait any more. */
export async function settleMessage(
  queries: Queries,
  number: number,
  outcome: Partial<Pick<MessageRow, 'state' | 'attempts' | 'nextAt' | 'sentAt' | 'error'>>,
): Promise<void> {
  await queries
    .update(alertMessages)
    .set(outcome)
    .where(and(eq(alertMessages.number, number), eq(alertMessages.state, 'waiting')))
}

/** The messages that told of an alert, newest first. */
export async function messagesAbout(queries: Queries, alert: number): Promise<MessageRow[]> {
  const told = JSON.stringify({ changes: [{ alert: { id: alert } }] })
  return await queries
    .select()
    .from(alertMessages)
    .where(sql`${alertMessages.content} @> ${told}::jsonb`)
    .orderBy(desc(alertMessages.number))
    .limit(100)
}

export interface ChannelCounts {
  waiting: number
  failed: number
  lastSentAt: Date | null
}

export async function countByChannel(queries: Queries): Promise<Map<string, ChannelCounts>> {
  const ofState = (state: MessageRow['state']) => sql<number>`(count(*) filter (where state = ${state}))::int`
  const rows = await queries
    .select({
      channel: alertMessages.channel,
      waiting: ofState('waiting'),
      failed: ofState('failed'),
      lastSentAt: max(alertMessages.sentAt),
    })
    .from(alertMessages)
    .groupBy(alertMessages.channel)
  return new Map(rows.map(({ channel, ...counts }) => [channel, counts]))
}

/** The last message of each channel that was attempted. */
export async function lastAttempts(queries: Queries, channels: readonly string[]): Promise<MessageRow[]> {
  if (channels.length === 0) return []
  return await queries
    .selectDistinctOn([alertMessages.channel])
    .from(alertMessages)
    .where(and(inArray(alertMessages.channel, [...channels]), gt(alertMessages.attempts, 0)))
    .orderBy(alertMessages.channel, desc(alertMessages.number))
}

export async function forgetOldMessages(queries: Queries): Promise<void> {
  await queries.delete(alertMessages).where(lt(alertMessages.at, sql`now() - interval '30 days'`))
}
