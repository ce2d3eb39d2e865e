/** The tables of edges, and of the time in which control heard them. */
import type { Histogram } from '@imapfleet/observe'
import { sql } from 'drizzle-orm'
import { boolean, check, customType, integer, json, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'
import type { OwnLayerVersions } from '../desired/applied.ts'

const timesColumn = customType<{ data: string }>({ dataType: () => 'tstzmultirange' })

/** The counts of an edge since its boot, at one moment of its own clock. Milliseconds since 1970. */
export interface Counted {
  at: number
  /** How long the boot had run, in milliseconds. A change of the edge's clock does not move it. */
  uptimeMs?: number
  counters: Record<string, number>
  logins: Histogram | undefined
}

/** A boot of an edge that a later boot has replaced. */
export interface ReplacedBoot {
  boot: string
  /** Of its last heartbeat. */
  sequence: number | null
  /** When its last heartbeat arrived, by the clock of the database. Milliseconds since 1970. */
  seenAt: number
  /** Heartbeats since it was replaced. Two or more: it has not ended. */
  beats: number
}

/**
 * All edges, as of their last heartbeat. Its pages have room for the next version of each row (migration 23), so that a
 * heartbeat changes no index: a further index would need a reason. The figures are `json`, which Postgres stores as the
 * text that it gets: no query looks into them, and to build `jsonb` took half of the time of a write.
 */
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
  /** The clock of the edge. It finds the newer of two heartbeats of an edge that does not number them. */
  sentAt: instantColumn('sent_at').notNull(),
  /** Of the last heartbeat, if `sequenceBoot` is the boot. A replica of an older version writes neither. */
  sequence: countColumn('sequence'),
  sequenceBoot: uuid('sequence_boot'),
  /** Earlier boots, the last replaced one first. */
  otherBoots: jsonb('other_boots').$type<ReplacedBoot[]>().notNull().default([]),
  /**
   * The wire version of the edge. If it differs from the version of control, only `id`, `region` and `lastSeenAt` are
   * known.
   */
  wireVersion: integer('wire_version').notNull().default(1),
  /** The clock of the edge minus the clock of the database, in milliseconds, as two consecutive heartbeats agreed. */
  clockSkewMs: countColumn('clock_skew_ms'),
  /** The same from the last heartbeat alone, which a delay may have falsified. */
  clockSkewSeenMs: countColumn('clock_skew_seen_ms'),
  heartbeatMs: integer('heartbeat_ms').notNull(),
  configApplied: countColumn('config_applied').notNull(),
  configRejected: countColumn('config_rejected'),
  configRejectedReason: text('config_rejected_reason'),
  /** All revocations up to this version were applied, by this boot or an earlier one. */
  revocationsApplied: countColumn('revocations_applied').notNull(),
  /** The version of the desired state that the edge claims to run. Empty: the edge is older than this field. */
  desiredClaimed: countColumn('desired_claimed'),
  /** The same, if this database issued it. */
  desiredVersion: countColumn('desired_version'),
  /** The layers of its configuration, and of the one that it refused: null for a layer of another history. */
  configVersions: jsonb('config_versions').$type<OwnLayerVersions>(),
  configRejectedVersions: jsonb('config_rejected_versions').$type<OwnLayerVersions>(),
  gauges: json('gauges').$type<Record<string, number>>().notNull(),
  degraded: jsonb('degraded').$type<string[]>().notNull(),
  /** One of `degraded`: the edge cannot save what it applied. */
  unsaved: text('unsaved'),
  listeners: jsonb('listeners').$type<string[]>().notNull(),
  /** How long the boot had run at `counted` and at `countedBefore`. Milliseconds. */
  uptimeMs: countColumn('uptime_ms'),
  uptimeBeforeMs: countColumn('uptime_before_ms'),
  /** From the last heartbeat and an earlier one of the same boot, at least half an interval before, to compute rates. */
  counted: json('counted').$type<Counted>(),
  countedBefore: json('counted_before').$type<Counted>(),
  /** What control wants of it, not what it reports. */
  drain: boolean('drain').notNull().default(false),
  /** The version that last changed `drain`. */
  drainVersion: countColumn('drain_version').notNull().default(0),
  /** When the edge was forgotten; its next heartbeat clears it. Its desired state is kept. */
  forgottenAt: instantColumn('forgotten_at'),
})

/**
 * One row: the time in which control received messages over NATS and stored them, as its own probes show. An edge is silent
 * only if it sent no heartbeat within this time. All times are from the clock of the database.
 */
export const hearing = pgTable(
  'hearing',
  {
    only: boolean('only').primaryKey().default(true),
    /** Control has heard without a gap since this time. */
    since: instantColumn('since').notNull().defaultNow(),
    /** The last stored probe. */
    until: instantColumn('until').notNull().defaultNow(),
    /** The times before the gaps, except times that are shorter than a later one: they cannot show a longer silence. */
    earlier: timesColumn('earlier')
      .notNull()
      .default(sql`'{}'`),
  },
  (table) => [check('hearing_only', sql`${table.only}`)],
)
