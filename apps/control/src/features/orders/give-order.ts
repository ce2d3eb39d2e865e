/**
 * An order to all edges, a region or one edge, with the answer of each. The same id is the same order: a repeated
 * request returns the answers, or sends the order again if the first replica died before it stored them. Edges carry
 * out an order once.
 */
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { fleetTargetText, type OrderedEdge, type OrderView, type FleetTarget } from '@imapfleet/api'
import { wireVersion, type OrderAction, type OrderOutcome } from '@imapfleet/protocol'
import type { Actor } from '../../platform/access.ts'
import { sendOrder } from './gather.ts'
import { writeAudit } from '../audit/service.ts'
import type { EdgeRow } from '../edges/queries.ts'
import { findOrder, finishOrder, insertOrder, type OrderRow } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { orderView } from './order-view.ts'
import { edgesMeantBy } from '../edges/service.ts'

export interface OrderInput {
  id?: string | undefined
  target: FleetTarget
  action: OrderAction
  timeoutMs: number
}

/** How far the clock of an edge may be ahead before the edge takes a new order for an expired one. */
const clockSlackMs = 10_000

export async function giveOrder(deps: Deps, actor: Actor, input: OrderInput): Promise<OrderView> {
  const meant = await edgesMeantBy(deps, input.target)
  // Refused before it is stored, because no edge would receive it.
  deps.bus.link()
  const row = await recorded(deps, actor, input)
  if (row.finishedAt) return orderView(row)
  const answers = await askEdges(deps, row, meant, input.timeoutMs)
  const account = meant.map((edge) => accountOf(edge, answers.get(edge.id)))
  return orderView(await finishOrder(deps.db.orm, row.id, new Date(deps.now()), account))
}

/** The order in the database: the new one, or the existing one with this id. */
async function recorded({ db, now }: Deps, actor: Actor, input: OrderInput): Promise<OrderRow> {
  const { id = randomUUID(), target, action, timeoutMs } = input
  const at = now()
  return await db.orm.transaction(async (tx) => {
    const expiresAt = new Date(at + timeoutMs + clockSlackMs)
    const made = await insertOrder(tx, {
      id,
      givenBy: actor.name,
      at: new Date(at),
      expiresAt,
      target,
      action,
    })
    if (made) {
      await writeAudit(tx, {
        actor: actor.name,
        action: 'order.give',
        target: fleetTargetText(target),
        after: { id, ...action },
      })
      return made
    }
    const known = await findOrder(tx, id)
    if (known && isDeepStrictEqual([known.target, known.action], [target, action])) return known
    throw new ServiceError('order_conflict', `Another order has the id ${id}: use a new one.`)
  })
}

async function askEdges(
  deps: Deps,
  row: OrderRow,
  meant: readonly EdgeRow[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, OrderOutcome>> {
  const left = Math.min(timeoutMs, row.expiresAt.getTime() - deps.now())
  if (left <= 0 || meant.length === 0) return new Map()
  const [first] = meant
  const order = {
    v: wireVersion,
    id: row.id,
    givenBy: row.givenBy,
    at: row.at.getTime(),
    expiresAt: row.expiresAt.getTime(),
    action: row.action,
  } as const
  const target =
    row.target.kind === 'all'
      ? row.target
      : row.target.kind === 'region'
        ? { kind: row.target.kind, region: row.target.name }
        : { kind: row.target.kind, edge: row.target.name, region: first?.region ?? '' }
  // Silent edges are not waited for. If they answer nevertheless, the answer counts.
  const expected = new Set(meant.filter((edge) => !edge.silent).map((edge) => edge.id))
  return await sendOrder(deps.bus, order, target, expected, left)
}

function accountOf({ id, region, silent }: EdgeRow, outcome: OrderOutcome | undefined): OrderedEdge {
  if (!outcome) {
    const reason = silent ? 'it is silent' : 'it did not answer in time'
    return { id, region, status: 'silent', reason, result: null }
  }
  return outcome.ok
    ? { id, region, status: 'answered', reason: null, result: outcome.result }
    : { id, region, status: 'failed', reason: outcome.reason, result: null }
}
