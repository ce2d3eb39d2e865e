/** The tables of history: what edges reported, and what was made of it. schema.ts is their door. */
import { boolean, customType, index, pgTable, primaryKey, serial, text, uuid } from 'drizzle-orm/pg-core'
import { countColumn, instantColumn } from './columns.ts'

/** What is counted, numbered once for the whole fleet: stored figures name a series by its number. */
export const series = pgTable('series', {
  id: serial('id').primaryKey(),
  key: text('key').notNull().unique(),
})

/** As history/packed.ts writes them. */
const packed = customType<{ data: Uint8Array }>({ dataType: () => 'bytea' })
const figures = () => ({
  counters: packed('counters').notNull(),
  gauges: packed('gauges').notNull(),
  histograms: packed('histograms').notNull(),
})

/** What edges reported: cumulative since boot. Partitioned by day of `at`. */
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
    // In this order it finds the report before another one whatever the edge's clock did in between.
    primaryKey({ columns: [table.edge, table.boot, table.sequence, table.at] }),
    index('reports_at').using('brin', table.at),
  ],
)

/** What was counted within 10 s, a minute or an hour. An empty edge is all edges of the region together. */
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

/** Partitioned by day; only whole regions. */
export const history10s = rollup('history_10s')
/** Partitioned by day. */
export const history1m = rollup('history_1m')
/** Partitioned by month. */
export const history1h = rollup('history_1h')

/** Minutes and hours of a region of which something has arrived since they were rolled up. */
export const historyDue = pgTable(
  'history_due',
  {
    resolution: text('resolution').$type<'1m' | '1h'>().notNull(),
    region: text('region').notNull(),
    at: instantColumn('at').notNull(),
    /** Reports have come, and what follows them may be due too; otherwise it is such a follower. */
    spreads: boolean('spreads').notNull(),
  },
  (table) => [index('history_due_at').on(table.resolution, table.at, table.region)],
)
