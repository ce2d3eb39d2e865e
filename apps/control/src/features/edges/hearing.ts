/**
 * Whether control itself receives messages. Each ingesting replica sends itself a probe over NATS, and stores it after the
 * heartbeats that arrived before it. The silence of an edge counts only while probes arrive. During an outage of NATS or
 * Postgres silence does not grow. After the outage it starts at zero, so that edges have time to send a heartbeat.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { wireVersion } from '@imapfleet/protocol'
import { createInbox, type NatsConnection } from '@nats-io/transport-node'
import { sql, type SQL } from 'drizzle-orm'
import type { AnyPgColumn } from 'drizzle-orm/pg-core'
import type { Queries } from '../../platform/db/database.ts'
import type { Deps } from '../../deps.ts'
import { Outage } from '../../platform/outage.ts'
import { edges, hearing } from './table.ts'

/** A probe of this replica that came back over NATS, in the order of all messages. */
export const ownProbe = 'probe'
const probeEveryMs = 1_000
/** If no probe arrived for this time, heartbeats may have been lost too. */
const gapMs = 3_000
/** After this number of missed heartbeats an edge is silent. */
export const missedMax = 3

/** The time in which control has received messages without a gap. Milliseconds since 1970, by the clock of the database. */
export interface Hearing {
  since: number
  until: number
  /** No probe was stored within the last seconds, so control's data about edges is outdated. */
  isDeaf: boolean
}

/** A probe came back, and everything that was received before it is stored. */
export async function noteHearing(queries: Queries): Promise<void> {
  const wasDeaf = sql`${hearing.until} < now() - ${gapMs} * interval '1 millisecond'`
  const ifDeaf = (then: SQL, otherwise: AnyPgColumn) =>
    sql`case when ${wasDeaf} then ${then} else ${otherwise} end`
  const longer = sql`(
    select coalesce(range_agg(times), '{}') from unnest(${hearing.earlier}) as times
    where upper(times) - lower(times) > ${hearing.until} - ${hearing.since})`
  const ended = sql`tstzmultirange(tstzrange(${hearing.since}, ${hearing.until}))`
  await queries.update(hearing).set({
    since: ifDeaf(sql`now()`, hearing.since),
    earlier: ifDeaf(sql`${longer} + ${ended}`, hearing.earlier),
    // Two replicas may store their probes in the other order.
    until: sql`greatest(${hearing.until}, now())`,
  })
}

export async function readHearing(queries: Queries): Promise<Hearing> {
  const [row] = await queries
    .select({
      since: milliseconds(hearing.since),
      until: milliseconds(hearing.until),
      isDeaf: sql<boolean>`${hearing.until} < now() - ${gapMs} * interval '1 millisecond'`,
    })
    .from(hearing)
  if (!row) throw new Error('the table hearing is empty')
  return row
}

/** Without the limit, Postgres expects a thousand rows of a table that was never analyzed, and starts workers for them. */
const heard = (column: AnyPgColumn) => sql`(select ${column} from ${hearing} limit 1)`

/**
 * The longest time since the last heartbeat in which control received messages. An edge that was silent before a gap stays
 * silent, even after many gaps. The times before the gaps are read only for an edge without a heartbeat since: Postgres
 * would otherwise read them for each row.
 */
const silence = sql`case
  when ${edges.lastSeenAt} >= ${heard(hearing.since)}
    then greatest(interval '0', ${heard(hearing.until)} - ${edges.lastSeenAt})
  else greatest(
    interval '0',
    ${heard(hearing.until)} - ${heard(hearing.since)},
    (select max(upper(times) - greatest(${edges.lastSeenAt}, lower(times)))
      from unnest(${heard(hearing.earlier)}) as times)) end`

const missing = sql<boolean>`(${silence} > ${edges.heartbeatMs} * ${missedMax} * interval '1 millisecond')`

/** Columns of a query of edges. Everything that judges silence uses them. */
export const silenceColumns = {
  /** Milliseconds. */
  silentMs: sql<number>`(extract(epoch from ${silence}) * 1000)::float8`,
  /** True after three missed heartbeats. */
  missing,
  /** True if it is missing, or if control cannot read its heartbeats. */
  silent: sql<boolean>`(${missing} or ${edges.wireVersion} <> ${wireVersion})`,
}

const milliseconds = (column: AnyPgColumn) => sql<number>`(extract(epoch from ${column}) * 1000)::float8`

/**
 * Sends a probe now and at intervals, on the connection that receives the heartbeats. `back` is called for each that
 * comes back. JetStream is asked before each, because a server that is cut off from its cluster still delivers a probe to
 * its sender, but no heartbeat of edges at the other servers.
 */
export async function sendProbes(
  { bus, log }: Pick<Deps, 'bus' | 'log'>,
  connection: NatsConnection,
  signal: AbortSignal,
  back: () => void,
): Promise<void> {
  const deafness = new Outage(log, 'control does not hear edges', 'control hears edges again')
  const inbox = createInbox()
  const subscription = connection.subscribe(inbox, { callback: back })
  // The first probe needs no request: the bus is up only after JetStream has answered.
  for (let isFirst = true; !signal.aborted; isFirst = false) {
    try {
      const { nats, manager } = bus.link()
      if (!isFirst) await manager.getAccountInfo()
      nats.publish(inbox)
      deafness.over()
    } catch (error) {
      // Without a probe control counts as deaf.
      if (!signal.aborted) deafness.began(error)
    }
    await sleep(probeEveryMs, undefined, { signal }).catch(() => {})
  }
  subscription.unsubscribe()
}
