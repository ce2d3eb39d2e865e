/**
 * All tables except those of history. `drizzle-kit generate` makes the migrations in apps/control/drizzle from both
 * files. The partitioning of `reports` and the rollups was added there by hand, because drizzle does not support it.
 */
import type { JsonValue, Layer } from '@imapfleet/config'
import type { Histogram } from '@imapfleet/observe'
import type {
  OrderAction,
  OrderedEdge,
  RolloutSettings,
  RolloutState,
  FleetTarget,
} from '@imapfleet/protocol'
import { sql } from 'drizzle-orm'
import {
  bigserial,
  boolean,
  check,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uuid,
} from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from './columns.ts'
import type { Wave } from '../rollout/waves.ts'

export * from './history-tables.ts'

/**
 * One row: the version of the desired state, and the time since which reports are kept. A change of the fleet locks
 * this row until its commit.
 */
export const fleet = pgTable(
  'fleet',
  {
    only: boolean('only').primaryKey().default(true),
    desiredVersion: countColumn('desired_version').notNull(),
    /** Older reports are not kept, or were never received. */
    reportsSince: instantColumn('reports_since').notNull().defaultNow(),
  },
  (table) => [check('fleet_only', sql`${table.only}`)],
)

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

export interface StoredChange {
  key: string
  before: JsonValue
  after: JsonValue
  reload?: 'live' | 'restart'
}

/** All changes of layers. `document` is the whole layer after the change, with secrets: only edges may see it. */
export const revisions = pgTable(
  'revisions',
  {
    revision: integer('revision').primaryKey(),
    layerKind: text('layer_kind').$type<'global' | 'region' | 'edge'>().notNull(),
    /** Empty for the global layer. */
    layerName: text('layer_name').notNull(),
    document: jsonb('document').$type<Layer>().notNull(),
    /** Without secrets. */
    changes: jsonb('changes').$type<StoredChange[]>().notNull(),
    note: text('note').notNull(),
    /**
     * `layers` contains only released revisions. A rolling one is in force on the edges of the first waves of its
     * rollout.
     */
    state: text('state').$type<'released' | 'rolling' | 'withdrawn'>().notNull().default('released'),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull().defaultNow(),
  },
  (table) => [index('revisions_layer').on(table.layerKind, table.layerName, table.revision)],
)

/** The present document of each layer, and its revision. */
export const layers = pgTable(
  'layers',
  {
    kind: text('kind').$type<'global' | 'region' | 'edge'>().notNull(),
    name: text('name').notNull(),
    revision: integer('revision')
      .notNull()
      .references(() => revisions.revision),
    document: jsonb('document').$type<Layer>().notNull(),
  },
  (table) => [primaryKey({ columns: [table.kind, table.name] })],
)

/** At most one is running or paused: that of the newest revision. */
export const rollouts = pgTable('rollouts', {
  revision: integer('revision')
    .primaryKey()
    .references(() => revisions.revision),
  state: text('state').$type<RolloutState>().notNull().default('running'),
  reason: text('reason'),
  settings: jsonb('settings').$type<RolloutSettings>().notNull(),
  waves: jsonb('waves').$type<Wave[]>().notNull(),
  /** Index of the last wave that has the revision. */
  wave: integer('wave').notNull().default(0),
  waveStartedAt: instantColumn('wave_started_at').notNull(),
  /** When all edges of the wave had applied it. */
  settledAt: instantColumn('settled_at'),
  /** When their health was last checked. */
  checkedAt: instantColumn('checked_at'),
  /** Edges that were silent when their wave started, or were forgotten since. */
  skipped: jsonb('skipped').$type<string[]>().notNull(),
  undoneBy: integer('undone_by'),
  createdBy: text('created_by').notNull(),
  createdAt: instantColumn('created_at').notNull(),
  finishedAt: instantColumn('finished_at'),
})

export const traces = pgTable(
  'traces',
  {
    id: uuid('id').primaryKey(),
    user: text('user').notNull(),
    bytesMax: countColumn('bytes_max').notNull(),
    bodies: boolean('bodies').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull(),
    expiresAt: instantColumn('expires_at').notNull(),
    /** When it was ended early. Empty if it expired. */
    endedAt: instantColumn('ended_at'),
  },
  (table) => [index('traces_created').on(table.createdAt)],
)

export const tokens = pgTable('tokens', {
  id: uuid('id').primaryKey(),
  name: text('name').notNull(),
  /** SHA-256 of the token, in hexadecimal. */
  hash: text('hash').notNull().unique(),
  role: text('role').$type<'viewer' | 'operator' | 'admin'>().notNull(),
  scopes: jsonb('scopes').$type<string[]>().notNull(),
  createdBy: text('created_by').notNull(),
  createdAt: instantColumn('created_at').notNull().defaultNow(),
  expiresAt: instantColumn('expires_at'),
  revokedAt: instantColumn('revoked_at'),
  lastUsedAt: instantColumn('last_used_at'),
})

/** Sessions of the console. A session ends with its token. */
export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of the content of the cookie, in hexadecimal. */
    hash: text('hash').primaryKey(),
    token: uuid('token')
      .notNull()
      .references(() => tokens.id, { onDelete: 'cascade' }),
    createdAt: instantColumn('created_at').notNull(),
    expiresAt: instantColumn('expires_at').notNull(),
  },
  (table) => [index('sessions_expires').on(table.expiresAt)],
)

/** Users and domains whose server connections are not reused, on every edge, even if it returns later. */
export const revocations = pgTable(
  'revocations',
  {
    /** The version of the desired state that introduced it. It also grows across a restore of the database. */
    sequence: countColumn('sequence').primaryKey(),
    kind: text('kind').$type<'user' | 'domain'>().notNull(),
    subject: text('subject').notNull(),
    at: instantColumn('at').notNull(),
    createdBy: text('created_by').notNull(),
    note: text('note').notNull(),
  },
  (table) => [index('revocations_at').on(table.at)],
)

export const orders = pgTable(
  'orders',
  {
    /** Increases in the order of the orders: the cursor of the list. */
    number: bigserial('number', { mode: 'number' }).notNull().unique(),
    id: uuid('id').primaryKey(),
    givenBy: text('given_by').notNull(),
    at: instantColumn('at').notNull(),
    /** An edge that receives it later refuses it. */
    expiresAt: instantColumn('expires_at').notNull(),
    target: jsonb('target').$type<FleetTarget>().notNull(),
    action: jsonb('action').$type<OrderAction>().notNull(),
    finishedAt: instantColumn('finished_at'),
    edges: jsonb('edges').$type<OrderedEdge[]>(),
  },
  (table) => [index('orders_at').on(table.at)],
)

/** All credentials for NATS that were issued to edges. The credential itself is not stored. */
export const enrolments = pgTable(
  'enrolments',
  {
    /** Increases in the order of issue: the cursor of the list. */
    number: bigserial('number', { mode: 'number' }).notNull().unique(),
    /** The public key of the credential. */
    key: text('key').primaryKey(),
    edge: text('edge').notNull(),
    region: text('region').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull(),
    revokedBy: text('revoked_by'),
    revokedAt: instantColumn('revoked_at'),
    /** When NATS stored the revocation. From then on the credential is refused. */
    enforcedAt: instantColumn('enforced_at'),
  },
  (table) => [index('enrolments_edge').on(table.edge)],
)

/** Writes with an idempotency key. The status is empty until the answer is known. */
export const idempotency = pgTable(
  'idempotency',
  {
    token: uuid('token').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of method, path and body, because a key is valid for one request only. */
    request: text('request').notNull(),
    at: instantColumn('at').notNull().defaultNow(),
    status: integer('status'),
    body: text('body'),
  },
  (table) => [primaryKey({ columns: [table.token, table.key] })],
)

/** Refused tokens by address. It limits guessing, over all replicas. */
export const loginFailures = pgTable('login_failures', {
  source: text('source').primaryKey(),
  failures: integer('failures').notNull(),
  since: instantColumn('since').notNull(),
})

/** The audit log: every write and every trace. */
export const audit = pgTable(
  'audit',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    at: instantColumn('at').notNull().defaultNow(),
    actor: text('actor').notNull(),
    action: text('action').notNull(),
    target: text('target').notNull(),
    before: jsonb('before').$type<JsonValue>(),
    after: jsonb('after').$type<JsonValue>(),
  },
  (table) => [index('audit_at').on(table.at)],
)
