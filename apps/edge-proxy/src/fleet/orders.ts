/** Orders from the fleet: done once, answered always, refused when they come too late. */
import {
  decode,
  encode,
  orderSchema,
  subjects,
  toAnswers,
  wireVersion,
  type Connection,
  type Order,
  type OrderAction,
  type OrderOutcome,
} from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { routeOf } from '../server/routes.ts'
import { version } from '../edge/version.ts'
import type { Fleet } from './link.ts'

interface Sender {
  edge: string
  region: string
  boot: string
}

const rememberedMax = 1000

/** Listens as long as the connection lives. */
export function hearOrders(fleet: Fleet, edge: Edge, sender: Sender): void {
  const done = new Map<string, OrderOutcome>()
  let hasToldOfStrangers = false
  for (const subject of subjects.ordersFor(sender))
    fleet.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return
        const decoded = decode(orderSchema, message.data)
        if (!decoded.ok) {
          // Once: whoever sends such things may send many.
          if (!hasToldOfStrangers) edge.log.warn('order_unreadable', { reason: decoded.reason })
          hasToldOfStrangers = true
          return
        }
        const order = decoded.value
        const outcome = done.get(order.id) ?? carryOut(edge, order)
        remember(done, order.id, outcome)
        const head = { v: wireVersion, ...sender, at: Date.now(), order: order.id } as const
        for (const answer of toAnswers(head, outcome))
          fleet.nats.publish(subjects.answer(sender, order.id), encode(answer))
      },
    })
}

function carryOut(edge: Edge, order: Order): OrderOutcome {
  if (order.expiresAt <= Date.now()) return { ok: false, reason: 'the order has expired' }
  edge.log.info('order', { id: order.id, kind: order.action.kind, by: order.givenBy })
  try {
    return act(edge, order.action)
  } catch (error) {
    return { ok: false, reason: (error as Error).message }
  }
}

function act(edge: Edge, action: OrderAction): OrderOutcome {
  switch (action.kind) {
    case 'who':
      return { ok: true, result: connectionsOf(edge, action.user) }
    case 'kick-user':
      return { ok: true, result: { sessions: edge.sessions.end('kicked', action.user) } }
    case 'purge-idle':
      return { ok: true, result: { connections: purgeIdle(edge, action.user) } }
    case 'version':
      return { ok: true, result: { version } }
    case 'route-lookup':
      return {
        ok: true,
        result: { upstream: routeOf(edge.settings.current, action.user, action.listener ?? '') },
      }
    case 'pause-upstream':
    case 'resume-upstream': {
      const server = edge.servers.get(action.upstream)
      if (!server) return { ok: false, reason: `there is no upstream named ${action.upstream}` }
      server.paused = action.kind === 'pause-upstream'
      return { ok: true, result: {} }
    }
    case 'reset-counters':
      edge.statistics.reset()
      return { ok: true, result: {} }
    case 'newlog':
      if (!edge.protocolLog)
        return { ok: false, reason: 'this edge writes no protocol log: trace.file is not set' }
      edge.protocolLog.clear()
      return { ok: true, result: {} }
  }
}

function purgeIdle(edge: Edge, user: string | undefined): number {
  const meant = [...edge.pool.states.idle].filter((upstream) => user === undefined || upstream.user === user)
  for (const upstream of meant) edge.pool.drop(upstream, 'purged')
  return meant.length
}

/** Every upstream connection, as XPROXY_DUMPICC lists them. */
function connectionsOf(edge: Edge, user: string | undefined): Connection[] {
  return [...edge.pool.states.all()]
    .filter(([upstream]) => user === undefined || upstream.user === user)
    .map(([upstream, state]) => ({
      user: upstream.user,
      upstream: upstream.name,
      state,
      ...(upstream.client !== undefined && { client: upstream.client.address }),
      since: upstream.lastUsedAt,
      uses: upstream.uses,
    }))
}

/** So that an order that comes twice is done once. */
function remember(done: Map<string, OrderOutcome>, id: string, outcome: OrderOutcome): void {
  done.set(id, outcome)
  if (done.size > rememberedMax) done.delete(done.keys().next().value!)
}
