/** The tables of alerts: the alerts, changed rules, silences, messages to channels, and the processes of control. */
import type { AlertRuleName } from '@imapfleet/api'
import { sql } from 'drizzle-orm'
import {
  bigserial,
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  text,
  uniqueIndex,
  uuid,
} from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'
import type { MessageContent } from './content.ts'

export const alerts = pgTable(
  'alerts',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    rule: text('rule').$type<AlertRuleName>().notNull(),
    subject: text('subject').notNull(),
    region: text('region'),
    edge: text('edge'),
    text: text('text').notNull(),
    state: text('state').$type<'pending' | 'open' | 'resolved'>().notNull(),
    /** The condition has held since. */
    since: instantColumn('since').notNull(),
    openedAt: instantColumn('opened_at'),
    /** An open alert whose condition is absent since then. Null: it holds. */
    clearSince: instantColumn('clear_since'),
    resolvedAt: instantColumn('resolved_at'),
    /** When messages about its opening were written. Null: muted so far. */
    toldAt: instantColumn('told_at'),
    ackBy: text('ack_by'),
    ackAt: instantColumn('ack_at'),
    ackUntil: instantColumn('ack_until'),
    ackReason: text('ack_reason'),
  },
  (table) => [
    uniqueIndex('alerts_current')
      .on(table.rule, table.subject)
      .where(sql`${table.state} <> 'resolved'`),
    index('alerts_resolved').on(table.resolvedAt),
  ],
)

/** What differs from the defaults in packages/api. Null: the default. */
export const alertRuleChanges = pgTable('alert_rules', {
  rule: text('rule').$type<AlertRuleName>().primaryKey(),
  enabled: boolean('enabled'),
  threshold: doublePrecision('threshold'),
  holdSeconds: integer('hold_seconds'),
  clearSeconds: integer('clear_seconds'),
  changedBy: text('changed_by').notNull(),
  changedAt: instantColumn('changed_at').notNull(),
})

/** What is null matches every alert. */
export const alertSilences = pgTable(
  'alert_silences',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    rule: text('rule').$type<AlertRuleName>(),
    region: text('region'),
    edge: text('edge'),
    subject: text('subject'),
    reason: text('reason').notNull(),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull(),
    endsAt: instantColumn('ends_at').notNull(),
    endedBy: text('ended_by'),
  },
  (table) => [index('alert_silences_ends').on(table.endsAt)],
)

/**
 * The outbox. A message is written in the transaction of its change, and sent by the replica with the lease. The messages
 * of a channel are sent in the order of `number`.
 */
export const alertMessages = pgTable(
  'alert_messages',
  {
    number: bigserial('number', { mode: 'number' }).primaryKey(),
    /** Stays the same over all attempts, so that a receiver recognizes a repetition. */
    id: uuid('id').notNull(),
    channel: text('channel').notNull(),
    at: instantColumn('at').notNull(),
    content: jsonb('content').$type<MessageContent>().notNull(),
    state: text('state').$type<'waiting' | 'sent' | 'failed'>().notNull().default('waiting'),
    attempts: integer('attempts').notNull().default(0),
    /** No attempt before. */
    nextAt: instantColumn('next_at').notNull(),
    sentAt: instantColumn('sent_at'),
    error: text('error'),
  },
  (table) => [
    index('alert_messages_waiting')
      .on(table.channel, table.number)
      .where(sql`${table.state} = 'waiting'`),
    index('alert_messages_at').on(table.at),
  ],
)

/** What a process of control reports about itself. Times are in milliseconds since 1970, by the clock of the process. */
export interface ReplicaReport {
  /** `ok`, or the reason. */
  nats: string
  /** Its last outage of Postgres that is over. */
  postgresOutage?: { from: number; to: number; reason: string }
  /** When it last stored a report of an edge, and last rejected a message. */
  storedAt?: number
  rejectedAt?: number
  /** How long the newest report of the last batch waited, and how many wait. Missing: it does not ingest. */
  lagMs?: number
  waiting?: number
  certificates: { owner: string; expiresAt: number }[]
  credentialExpiresAt?: number
}

/** The processes of control that were not stopped, as of their last report. */
export const controlReplicas = pgTable('control_replicas', {
  /** Host and port, which stay the same over a restart. */
  name: text('name').primaryKey(),
  /** The clock of the database. */
  seenAt: instantColumn('seen_at').notNull().defaultNow(),
  report: jsonb('report').$type<ReplicaReport>().notNull(),
})
