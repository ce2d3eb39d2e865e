/** The table of orders. */
import type { FleetTarget, OrderCounts, OrderedEdge } from '@imapfleet/api'
import type { OrderAction } from '@imapfleet/protocol'
import { bigserial, index, jsonb, pgTable, text, uuid } from 'drizzle-orm/pg-core'
import { instantColumn } from '../../platform/db/columns.ts'

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
    /** The region of the target when it was given. Empty: several, or an earlier version gave it. */
    region: text('region'),
    /** The domain whose users it concerns. Empty: not only one, or an earlier version gave it. */
    domain: text('domain'),
    finishedAt: instantColumn('finished_at'),
    /** The answers. They can be large: lists do not read them. */
    edges: jsonb('edges').$type<OrderedEdge[]>(),
    /** How many there are of each status. Empty if an earlier version wrote the answers. */
    counts: jsonb('counts').$type<OrderCounts>(),
  },
  (table) => [index('orders_at').on(table.at)],
)
