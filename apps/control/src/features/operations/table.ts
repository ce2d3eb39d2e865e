/** The table of operations in stages. */
import type { FleetTarget, OperationState, StageEdge } from '@imapfleet/api'
import { bigserial, index, integer, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'
import type { OperationStage } from './stages.ts'

/** The work at the edges of each region. The action is in the row of the order. */
export type OperationWork =
  | { kind: 'order'; order: string; timeoutMs: number }
  | { kind: 'revocation'; domain: string; note: string }
  | { kind: 'drain' }

export const operations = pgTable(
  'operations',
  {
    /** Increases in the order of the operations: the cursor of the list. */
    number: bigserial('number', { mode: 'number' }).notNull().unique(),
    id: uuid('id').primaryKey(),
    title: text('title').notNull(),
    work: jsonb('work').$type<OperationWork>().notNull(),
    target: jsonb('target').$type<FleetTarget>().notNull(),
    state: text('state').$type<OperationState>().notNull().default('running'),
    reason: text('reason'),
    soakSeconds: integer('soak_seconds').notNull(),
    stages: jsonb('stages').$type<OperationStage[]>().notNull(),
    /** Index of the current stage. */
    stage: integer('stage').notNull().default(0),
    stageStartedAt: instantColumn('stage_started_at').notNull(),
    /** When no edge of the stage was pending any longer. */
    settledAt: instantColumn('settled_at'),
    /** What the edges of the stages so far have done. */
    edges: jsonb('edges').$type<StageEdge[]>().notNull(),
    createdBy: text('created_by').notNull(),
    /** The token that began or last continued it. Empty if an earlier version did. */
    token: uuid('token'),
    createdAt: instantColumn('created_at').notNull(),
    finishedAt: instantColumn('finished_at'),
  },
  (table) => [index('operations_created').on(table.createdAt)],
)
