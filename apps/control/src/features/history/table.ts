/** The tables of history: reports and their rollups. Exported by schema.ts. */
import { boolean, customType, index, pgTable, primaryKey, serial, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from '../../platform/db/columns.ts'

/** Series by number, for the whole fleet. Stored figures refer to a series by its number. */
export const series = pgTable(
  'series',
  {
    id: serial('id').primaryKey(),
    key: text('key').notNull().unique(),
    /** The edge that reported it first. Null: from a version that did not note it. */
    introducedBy: text('introduced_by'),
    /** Within a day. */
    usedAt: instantColumn('used_at').notNull().defaultNow(),
  },
  (table) => [index('series_introduced_by').on(table.introducedBy)],
)

/** As history/packed.ts writes them. */
const packed = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })
const figures = () => ({
  counters: packed('counters').notNull(),
  gauges: packed('gauges').notNull(),
  histograms: packed('histograms').notNull(),
})

/** Reports of edges: cumulative since boot. Partitioned by day of `at`. */
export const reports = pgTable(
  'reports',
  {
    edge: text('edge').notNull(),
    boot: uuid('boot').notNull(),
    at: instantColumn('at').notNull(),
    sequence: countColumn('sequence').notNull(),
    region: text('region').notNull(),
    startedAt: instantColumn('started_at').notNull(),
    receivedAt: instantColumn('received_at').notNull().defaultNow(),
    ...figures(),
  },
  (table) => [
    // This order finds the report before another one even if the clock of the edge moved back in between.
    primaryKey({ columns: [table.edge, table.boot, table.sequence, table.at] }),
    index('reports_at').using('brin', table.at),
  ],
)

/** Counts within 10 s, a minute or an hour. An empty edge stands for all edges of the region together. */
const rollup = (name: string) =>
  pgTable(
    name,
    {
      edge: text('edge').notNull(),
      at: instantColumn('at').notNull(),
      region: text('region').notNull(),
      ...figures(),
    },
    (table) => [
      primaryKey({ columns: [table.edge, table.at, table.region] }),
      index(`${name}_at`).using('brin', table.at),
    ],
  )

/** Partitioned by day. Only whole regions. */
export const history10s = rollup('history_10s')
/** Partitioned by day. */
export const history1m = rollup('history_1m')
/** Partitioned by month. */
export const history1h = rollup('history_1h')

/** Minutes and hours of a region that have new reports since they were rolled up. */
export const historyDue = pgTable(
  'history_due',
  {
    resolution: text('resolution').$type<'1m' | '1h'>().notNull(),
    region: text('region').notNull(),
    at: instantColumn('at').notNull(),
    /** True: reports arrived, and the next interval may be due too. False: marked only as the next interval. */
    spreads: boolean('spreads').notNull(),
  },
  (table) => [index('history_due_at').on(table.resolution, table.at, table.region)],
)
