/** The tables of edges, and of the time in which control heard them. */
import type { Histogram } from '@imapfleet/observe'
import { sql } from 'drizzle-orm'
import { boolean, check, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'
import type { OwnLayerVersions } from '../desired/applied.ts'

/** The counts of an edge since its boot, at one moment of its own clock. Milliseconds since 1970. */
export interface Counted {
  at: number
  counters: Record<string, number>
  logins: Histogram | undefined
}

/** All edges, as of their last heartbeat. */
export const edges = pgTable('edges', {
  id: text('id').primaryKey(),
  region: text('region').notNull(),
  boot: uuid('boot').notNull(),
  version: text('version').notNull(),
  state: text('state').$type<'serving' | 'draining' | 'stopping'>().notNull(),
  startedAt: instantColumn('started_at').notNull(),
  firstSeenAt: instantColumn('first_seen_at').notNull().defaultNow(),
  /** The clock of the database, so that a wrong clock of the edge does not make it silent. */
  lastSeenAt: instantColumn('last_seen_at').notNull(),
  /** The clock of the edge, to find the newer of two heartbeats. */
  sentAt: instantColumn('sent_at').notNull(),
  heartbeatMs: integer('heartbeat_ms').notNull(),
  configApplied: countColumn('config_applied').notNull(),
  configRejected: countColumn('config_rejected'),
  configRejectedReason: text('config_rejected_reason'),
  /** All revocations up to this version were applied, by this boot or an earlier one. */
  revocationsApplied: countColumn('revocations_applied').notNull(),
  /** The version of the desired state that it says to run. Empty: it is older than this field. */
  desiredClaimed: countColumn('desired_claimed'),
  /** The same, if this database issued it. */
  desiredVersion: countColumn('desired_version'),
  /** The layers of its configuration, and of the one that it refused: null for a layer of another history. */
  configVersions: jsonb('config_versions').$type<OwnLayerVersions>(),
  configRejectedVersions: jsonb('config_rejected_versions').$type<OwnLayerVersions>(),
  gauges: jsonb('gauges').$type<Record<string, number>>().notNull(),
  degraded: jsonb('degraded').$type<string[]>().notNull(),
  listeners: jsonb('listeners').$type<string[]>().notNull(),
  /** From the last heartbeat and the one before it of the same boot, to compute rates. */
  counted: jsonb('counted').$type<Counted>(),
  countedBefore: jsonb('counted_before').$type<Counted>(),
  /** What control wants of it, not what it reports. */
  drain: boolean('drain').notNull().default(false),
  /** The version that last changed `drain`. */
  drainVersion: countColumn('drain_version').notNull().default(0),
  /** When the edge was forgotten; its next heartbeat clears it. Its desired state is kept. */
  forgottenAt: instantColumn('forgotten_at'),
})

/**
 * One row: the time in which control received messages over NATS and stored them, as its own probes show. An edge is
 * silent only if it sent no heartbeat within such a time. All times are from the clock of the database.
 */
export const hearing = pgTable(
  'hearing',
  {
    only: boolean('only').primaryKey().default(true),
    /** Control has heard without a gap since this time. */
    since: instantColumn('since').notNull().defaultNow(),
    /** The last stored probe. */
    until: instantColumn('until').notNull().defaultNow(),
    /** The time before the last gap. */
    previousSince: instantColumn('previous_since'),
    previousUntil: instantColumn('previous_until'),
  },
  (table) => [check('hearing_only', sql`${table.only}`)],
)
