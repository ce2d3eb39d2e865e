/** The tables of the configuration. */
import type { JsonValue, Layer } from '@imapfleet/config'
import { index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'
import { versionOfChange } from '../desired/table.ts'

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
     * `layers` contains only released revisions. A revision that is being rolled out is in force on the edges of the first
     * waves of its rollout.
     */
    state: text('state').$type<'released' | 'rolling' | 'withdrawn'>().notNull().default('released'),
    /** The version of the desired state that it was made in. It identifies it also across a restore of the database. */
    version: versionOfChange('version'),
    createdBy: text('created_by').notNull(),
    createdAt: instantColumn('created_at').notNull().defaultNow(),
  },
  (table) => [
    index('revisions_version').on(table.version),
    index('revisions_layer').on(table.layerKind, table.layerName, table.revision),
  ],
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
