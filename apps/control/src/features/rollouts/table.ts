/** The table of rollouts. */
import type { RolloutSettings, RolloutState } from '@imapfleet/api'
import { integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'
import type { Wave } from './waves.ts'
import { revisions } from '../config/table.ts'

/** At most one rollout is running or paused: the rollout of the newest revision. */
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
  /** The token that began or last resumed it. Empty if an earlier version did. */
  token: uuid('token'),
  createdAt: instantColumn('created_at').notNull(),
  finishedAt: instantColumn('finished_at'),
})
