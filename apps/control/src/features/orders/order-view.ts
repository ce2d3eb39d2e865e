/** An order in the form of the API. */
import type { OrderView } from '@imapfleet/api'
import type { OrderRow } from './queries.ts'

export const orderView = (row: OrderRow): OrderView => ({
  id: row.id,
  givenBy: row.givenBy,
  at: row.at.toISOString(),
  target: row.target,
  action: row.action,
  finishedAt: row.finishedAt?.toISOString() ?? null,
  edges: row.edges ?? [],
})
