/**
 * The tables, but for those of history. `drizzle-kit generate` makes the migrations in apps/control/drizzle from both
 * files; `reports` and the rollups are partitioned there by hand, since drizzle has no word for it.
 */
import type { JsonValue, Layer } from '@imapfleet/config'
import type { Histogram } from '@imapfleet/observe'
import type { OrderAction, OrderedEdge, RolloutSettings, RolloutState, TargetName } from '@imapfleet/protocol'
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

/** One row: the version of the desired state, and since when reports are kept. Whoever changes the fleet holds this row until the change is committed. */
export const fleet = pgTable(
  'fleet',
  {
    only: boolean('only').primaryKey().default(true),
    desiredVersion: countColumn('desired_version').notNull(),
    /** Reports from before are not kept, or were never seen. */
    reportsSince: instantColumn('reports_since').notNull().defaultNow(),
  },
  (table) => [check('fleet_only', sql`${table.only}`)],
)

/** What an edge had counted since its boot at one moment of its own clock, in milliseconds since 1970. */
export interface Counted {
  at: number
  counters: Record<string, number>
  logins: Histogram | undefined
}

/** Every edge that was ever heard of, as its last heartbeat says. */
export const edges = pgTable('edges', {
  id: text('id').primaryKey(),
  region: text('region').notNull(),
  boot: uuid('boot').notNull(),
  version: text('version').notNull(),
  state: text('state').$type<'serving' | 'draining' | 'stopping'>().notNull(),
  startedAt: instantColumn('started_at').notNull(),
  firstSeenAt: instantColumn('first_seen_at').notNull().defaultNow(),
  /** The database's clock; an edge with a wrong clock is not silent for it. */
  lastSeenAt: instantColumn('last_seen_at').notNull(),
  /** The edge's clock, to know the newer of two heartbeats. */
  sentAt: instantColumn('sent_at').notNull(),
  heartbeatMs: integer('heartbeat_ms').notNull(),
  configApplied: countColumn('config_applied').notNull(),
  configRejected: countColumn('config_rejected'),
  configRejectedReason: text('config_rejected_reason'),
  revocationsApplied: countColumn('revocations_applied').notNull(),
  gauges: jsonb('gauges').$type<Record<string, number>>().notNull(),
  degraded: jsonb('degraded').$type<string[]>().notNull(),
  listeners: jsonb('listeners').$type<string[]>().notNull(),
  /** By the last heartbeat and the one before it of the same boot: what rates are computed from. */
  counted: jsonb('counted').$type<Counted>(),
  countedBefore: jsonb('counted_before').$type<Counted>(),
  /** What the fleet wants of it, not what it says. */
  drain: boolean('drain').notNull().default(false),
  /** Taken out of the fleet, until it is heard of again; what is wanted of it is kept ready all the same. */
  forgottenAt: instantColumn('forgotten_at'),
})

export interface StoredChange {
  key: string
  before: JsonValue
  after: JsonValue
  reload?: 'live' | 'restart'
}

/** Every change of a layer. `document` is the whole layer after it, with its secrets: only edges may see it. */
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
    /** Only released ones are in `layers`; a rolling one is in force on the edges of its rollout's first waves. */
    state: text('state').$type<'released' | 'rolling' | 'withdrawn'>().notNull().default('released'),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull().defaultNow(),
  },
  (table) => [index('revisions_layer').on(table.layerKind, table.layerName, table.revision)],
)

/** The document that each layer has now, and the revision that made it so. */
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

/** One at a time is running or paused: the newest revision, on its way. */
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
  /** When their health was looked at last. */
  checkedAt: instantColumn('checked_at'),
  /** Edges that were silent when their wave began, or were forgotten since. */
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
    /** Ended by hand; a trace that has expired leaves it empty. */
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

/** Who is signed in at the console. It ends with its token. */
export const sessions = pgTable(
  'sessions',
  {
    /** SHA-256 of what the cookie holds, in hexadecimal. */
    hash: text('hash').primaryKey(),
    token: uuid('token')
      .notNull()
      .references(() => tokens.id, { onDelete: 'cascade' }),
    createdAt: instantColumn('created_at').notNull(),
    expiresAt: instantColumn('expires_at').notNull(),
  },
  (table) => [index('sessions_expires').on(table.expiresAt)],
)

/** Whose warm connections are dropped, on every edge, whenever it comes back. */
export const revocations = pgTable(
  'revocations',
  {
    /** The version of the desired state that brought it: grows also over a database that was made anew. */
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
    /** Grows in the order in which they were given: the cursor of the list. */
    number: bigserial('number', { mode: 'number' }).notNull().unique(),
    id: uuid('id').primaryKey(),
    givenBy: text('given_by').notNull(),
    at: instantColumn('at').notNull(),
    /** An edge that gets it later refuses it. */
    expiresAt: instantColumn('expires_at').notNull(),
    target: jsonb('target').$type<TargetName>().notNull(),
    action: jsonb('action').$type<OrderAction>().notNull(),
    finishedAt: instantColumn('finished_at'),
    edges: jsonb('edges').$type<OrderedEdge[]>(),
  },
  (table) => [index('orders_at').on(table.at)],
)

/** Every credential for NATS that an edge was ever given. The credential itself is kept nowhere. */
export const enrolments = pgTable(
  'enrolments',
  {
    /** Grows in the order in which they were made: the cursor of the list. */
    number: bigserial('number', { mode: 'number' }).notNull().unique(),
    /** The credential's public key. */
    key: text('key').primaryKey(),
    edge: text('edge').notNull(),
    region: text('region').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull(),
    revokedBy: text('revoked_by'),
    revokedAt: instantColumn('revoked_at'),
    /** When NATS had it: from then on nobody gets in with it. */
    enforcedAt: instantColumn('enforced_at'),
  },
  (table) => [index('enrolments_edge').on(table.edge)],
)

/** Writes that carried an idempotency key; without a status while the answer is not known. */
export const idempotency = pgTable(
  'idempotency',
  {
    token: uuid('token').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of method, path and body: the same key is for the same request. */
    request: text('request').notNull(),
    at: instantColumn('at').notNull().defaultNow(),
    status: integer('status'),
    body: text('body'),
  },
  (table) => [primaryKey({ columns: [table.token, table.key] })],
)

/** Refused tokens by address: what limits guessing, over all replicas. */
export const loginFailures = pgTable('login_failures', {
  source: text('source').primaryKey(),
  failures: integer('failures').notNull(),
  since: instantColumn('since').notNull(),
})

/** Who did what: every write and every trace. */
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
