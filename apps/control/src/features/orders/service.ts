/**
 * An order to all edges, a region or one edge, with the answer of each. The same id is the same order: a repeated
 * request returns the answers, or sends the order again if the first replica died before it stored them. Edges carry
 * out an order once.
 */
import {
  type FleetTarget,
  fleetTargetText,
  isLimited,
  type AccessLimits,
  type OrderedEdge,
  type OrderSummary,
  type OrderView,
  type Pace,
  type StageEdge,
} from '@imapfleet/api'
import {
  isDisruptiveOrder,
  isReadOrder,
  type OrderAction,
  type OrderAddress,
  type OrderOutcome,
  orderSubject,
  orderTitle,
  parseResult,
  type OrderResult,
  wireVersion,
} from '@imapfleet/protocol'
import { randomUUID } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import type { Deps } from '../../deps.ts'
import { domainOf, needsSubject, targetWithin, noLimits, type Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import type { AddressedEdge } from '../edges/queries.ts'
import { edgesOfTarget, instancesOf } from '../edges/service.ts'
import { operationsOfOrders, type OperationRow } from '../operations/queries.ts'
import {
  abortUndone,
  beginOperation,
  isStaged,
  operationView,
  type CurrentStage,
} from '../operations/service.ts'
import { sendOrder } from './gather.ts'
import {
  addAnswers,
  findOrder,
  finishOrder,
  hasAnswer,
  insertOrder,
  type OrderRow,
  selectAnswers,
  selectOrders,
} from './queries.ts'

export interface OrderInput {
  id?: string | undefined
  target: FleetTarget
  action: OrderAction
  timeoutMs: number
  pace?: Pace | undefined
}

/** How long a count may take. An edge answers it from memory. */
const countMs = 2_000

/**
 * How long an order may be held up in NATS and by a halted edge. An edge of an older release treats a new order as expired
 * if its clock is further ahead.
 */
const clockSlackMs = 10_000

export async function giveOrder(deps: Deps, actor: Actor, requested: OrderInput): Promise<OrderView> {
  needsSubject(actor, orderSubject(requested.action))
  const input = { ...requested, target: targetWithin(actor, requested.target) }
  const asked = await edgesOfTarget(deps, actor.limits, input.target)
  // Refused before it is stored, because no edge would receive it.
  deps.bus.link()
  const { row, operation } = await recorded(deps, actor, input, asked)
  const { orm } = deps.db
  if (row.finishedAt ?? operation)
    return orderView(row, await selectAnswers(orm, row.id), operation, actor.limits)
  // A repeated request may come long after the first: the edges must not carry out the order then.
  const left = Math.min(input.timeoutMs, row.expiresAt.getTime() - deps.now())
  const answers = await askEdges(deps, row, addressOf(row.target, asked), asked, left)
  const account = asked.map((edge) => accountOf(edge, answers.get(edge.id)))
  const finished = await finishOrder(orm, row.id, new Date(deps.now()), account)
  if (finished) return orderView(finished, account, undefined, actor.limits)
  // Another replica has stored its answers first.
  return orderView(
    await knownOrder(orm, noLimits, row.id),
    await selectAnswers(orm, row.id),
    undefined,
    actor.limits,
  )
}

interface Recorded {
  row: OrderRow
  /** If the order is carried out in stages. */
  operation: OperationRow | undefined
}

/** The order in the database: the new one, or the existing one with this id. */
async function recorded(
  { db, now }: Deps,
  actor: Actor,
  input: OrderInput,
  edges: readonly AddressedEdge[],
): Promise<Recorded> {
  const { id = randomUUID(), target, action, timeoutMs, pace } = input
  const at = now()
  return await db.orm.transaction(async (tx) => {
    const expiresAt = new Date(at + timeoutMs + clockSlackMs)
    const made = await insertOrder(tx, {
      ...{ id, givenBy: actor.name, at: new Date(at), expiresAt, target, action },
      region: target.kind === 'all' ? null : (edges[0]?.region ?? null),
      domain: domainOf(orderSubject(action)),
    })
    if (made) {
      const isLarge = isDisruptiveOrder(action)
      const title = orderTitle(action)
      const work = { kind: 'order', order: id, timeoutMs } as const
      const operation = isStaged(actor, isLarge, edges, pace)
        ? await beginOperation(tx, actor, new Date(at), { title, work, target, edges, pace })
        : undefined
      // Consoles and scripts read often; their orders would bury the changes.
      if (!isReadOrder(action))
        await writeAudit(tx, {
          actor: actor.name,
          action: 'order.give',
          target: fleetTargetText(target),
          after: { id, ...action, ...(isLarge && { pace: pace ?? (operation ? 'staged' : 'at-once') }) },
        })
      if (action.kind === 'resume-upstream')
        await abortPauses(tx, actor, action.upstream, edges, new Date(at))
      return { row: made, operation }
    }
    const known = await findOrder(tx, actor.limits, id)
    if (known && isDeepStrictEqual([known.target, known.action], [target, action])) {
      const operation = (await operationsOfOrders(tx, [id])).get(id)
      // With limits it would be sent again, at once.
      if (!operation || !isLimited(actor.limits)) return { row: known, operation }
    }
    throw new ServiceError('order_conflict', `Another order has the id ${id}: use a new one.`)
  })
}

/** Without this, the next stage of a pause would pause edges that were just resumed. */
async function abortPauses(
  queries: Queries,
  actor: Actor,
  upstream: string,
  edges: readonly AddressedEdge[],
  at: Date,
): Promise<void> {
  await abortUndone(queries, actor, {
    edges: new Set(edges.map(({ id }) => id)),
    at,
    reason: `${actor.name} resumed upstream ${upstream}`,
    isUndone: async (work) => {
      if (work.kind !== 'order') return false
      const order = await findOrder(queries, noLimits, work.order)
      return order?.action.kind === 'pause-upstream' && order.action.upstream === upstream
    },
  })
}

/** The stage of an order: the edges of one region get it, and answer. An edge carries out an order once. */
export async function orderStage(
  deps: Deps,
  _lease: Lease,
  { work, region, edges }: CurrentStage<'order'>,
): Promise<StageEdge[]> {
  const row = await knownOrder(deps.db.orm, noLimits, work.order)
  const answers = await askEdges(deps, row, { kind: 'region', region }, edges, work.timeoutMs)
  const account = edges.map((edge) => accountOf(edge, answers.get(edge.id)))
  await addAnswers(deps.db.orm, row.id, account)
  return account.map(({ id, status, reason }) =>
    status === 'answered' ? { id, status: 'done', reason } : { id, status, reason },
  )
}

/** Counts users and connections at these edges, by edge. Nothing is stored, because nothing is changed. */
export async function askEdgesToCount(
  deps: Deps,
  order: Pick<OrderRow, 'id' | 'givenBy'> & { action: OrderAction<'count'> },
  target: FleetTarget,
  edges: readonly AddressedEdge[],
): Promise<Map<string, OrderResult<'count'>>> {
  const answers = await askEdges(deps, order, addressOf(target, edges), edges, countMs)
  return new Map(
    [...answers].flatMap(([id, outcome]) => {
      const counted = outcome.ok ? parseResult('count', outcome.result) : undefined
      return counted?.ok ? [[id, counted.value]] : []
    }),
  )
}

async function askEdges(
  deps: Deps,
  row: Pick<OrderRow, 'id' | 'givenBy' | 'action'>,
  address: OrderAddress,
  edges: readonly AddressedEdge[],
  timeoutMs: number,
): Promise<ReadonlyMap<string, OrderOutcome>> {
  if (edges.length === 0 || timeoutMs <= 0) return new Map()
  const now = deps.now()
  const order = {
    v: wireVersion,
    id: row.id,
    givenBy: row.givenBy,
    // The difference of both is how long this message is valid.
    at: now,
    expiresAt: now + timeoutMs + clockSlackMs,
    action: row.action,
  } as const
  // Control does not wait for silent edges. If they answer nevertheless, the answer counts.
  const expected = new Map(
    edges.filter((edge) => !edge.silent).map((edge) => [edge.id, instancesOf(edge).length]),
  )
  return await sendOrder(deps, order, address, expected, timeoutMs)
}

function addressOf(target: FleetTarget, edges: readonly AddressedEdge[]): OrderAddress {
  if (target.kind === 'all') return target
  if (target.kind === 'region') return { kind: target.kind, region: target.name }
  return { kind: target.kind, edge: target.name, region: edges[0]?.region ?? '' }
}

function accountOf(edge: AddressedEdge, outcome: OrderOutcome | undefined): OrderedEdge {
  const { id, region } = edge
  if (!outcome) {
    const isForeign = edge.silent && !edge.missing
    const reason = isForeign
      ? `it speaks wire version ${edge.wireVersion}`
      : edge.silent
        ? 'it is silent'
        : 'it did not answer in time'
    return { id, region, status: 'silent', reason, result: null }
  }
  return outcome.ok
    ? { id, region, status: 'answered', reason: null, result: outcome.result }
    : { id, region, status: 'failed', reason: outcome.reason, result: null }
}

/** Without their answers, newest first. */
export async function listOrders(
  { db }: Deps,
  limits: AccessLimits,
  page: { limit: number; before?: number | undefined },
): Promise<{ orders: OrderSummary[]; next: number | null }> {
  return await inSnapshot(db, async (queries) => {
    const { shown, next } = await pageOf(
      page,
      (asked) => selectOrders(queries, limits, asked),
      ({ number }) => number,
    )
    const operations = await operationsOfOrders(
      queries,
      shown.map(({ id }) => id),
    )
    return { orders: shown.map((row) => orderSummary(row, operations.get(row.id), limits)), next }
  })
}

/** One order with a page of its answers. `after` is the id of the last edge of the previous page. */
export async function readOrder(
  { db }: Deps,
  limits: AccessLimits,
  id: string,
  { limit, after }: { limit: number; after?: string | undefined },
): Promise<OrderView> {
  return await inSnapshot(db, async (queries) => {
    const row = await knownOrder(queries, limits, id)
    const { shown, next } = await pageOf(
      { limit, before: after },
      (page) => selectAnswers(queries, id, page),
      (answer) => answer.id,
      async (edge) => ((await hasAnswer(queries, id, edge)) ? edge : undefined),
    )
    const operation = (await operationsOfOrders(queries, [id])).get(id)
    return orderView(row, shown, operation, limits, next)
  })
}

async function knownOrder(queries: Queries, limits: AccessLimits, id: string): Promise<OrderRow> {
  const row = await findOrder(queries, limits, id)
  if (row) return row
  throw new ServiceError('order_unknown', `No order has the id ${id}: GET /v1/orders lists all orders.`)
}

function orderHead(row: OrderRow, operation: OperationRow | undefined) {
  const finishedAt = operation ? operation.finishedAt : row.finishedAt
  return {
    id: row.id,
    givenBy: row.givenBy,
    at: row.at.toISOString(),
    target: row.target,
    action: row.action,
    finishedAt: finishedAt?.toISOString() ?? null,
    counts: row.counts,
  }
}

/** Operations concern several regions and show the health of the fleet, so limits hide them. */
const orderSummary = (
  row: OrderRow,
  operation: OperationRow | undefined,
  limits: AccessLimits,
): OrderSummary => ({
  ...orderHead(row, operation),
  ...(operation && !isLimited(limits) && { operation: operation.id }),
})

const orderView = (
  row: OrderRow,
  edges: OrderedEdge[],
  operation: OperationRow | undefined,
  limits: AccessLimits,
  next: string | null = null,
): OrderView => ({
  ...orderHead(row, operation),
  edges,
  next,
  ...(operation && !isLimited(limits) && { operation: operationView(operation) }),
})
