/** The table of edges. */
import type { Histogram } from '@imapfleet/observe'
import { boolean, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'

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
  revocationsApplied: countColumn('revocations_applied').notNull(),
  gauges: jsonb('gauges').$type<Record<string, number>>().notNull(),
  degraded: jsonb('degraded').$type<string[]>().notNull(),
  listeners: jsonb('listeners').$type<string[]>().notNull(),
  /** From the last heartbeat and the one before it of the same boot, to compute rates. */
  counted: jsonb('counted').$type<Counted>(),
  countedBefore: jsonb('counted_before').$type<Counted>(),
  /** What control wants of it, not what it reports. */
  drain: boolean('drain').notNull().default(false),
  /** When the edge was forgotten; its next heartbeat clears it. Its desired state is kept. */
  forgottenAt: instantColumn('forgotten_at'),
})
