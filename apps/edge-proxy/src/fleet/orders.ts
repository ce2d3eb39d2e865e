/** Carries out orders of the fleet. Each order is carried out once and always answered; an expired one is refused. */
import type { NatsHandles } from '@imapfleet/nats'
import {
  decode,
  encode,
  orderSchema,
  subjects,
  toAnswers,
  wireVersion,
  type Order,
  type OrderOutcome,
} from '@imapfleet/protocol'
import { reasonOf } from '@imapfleet/observe'
import type { Edge } from '../edge/edge.ts'
import { carryOut } from '../ops/operations.ts'
import type { Sender } from './nats.ts'

const rememberedMax = 1000

/** Subscribes for the life of this connection. */
export function hearOrders(fleet: NatsHandles, edge: Edge, sender: Sender): void {
  const outcomes = new Map<string, OrderOutcome>()
  let isWarned = false
  for (const subject of subjects.ordersFor(sender))
    fleet.nats.subscribe(subject, {
      callback: (error, message) => {
        if (error) return
        const decoded = decode(orderSchema, message.data)
        if (!decoded.ok) {
          // Once per connection to NATS, because a faulty sender may send many.
          if (!isWarned) edge.context.log.warn('order_unreadable', { reason: decoded.reason })
          isWarned = true
          return
        }
        const order = decoded.value
        const outcome = outcomes.get(order.id) ?? outcomeOf(edge, order)
        remember(outcomes, order.id, outcome)
        const head = { v: wireVersion, ...sender, at: Date.now(), order: order.id } as const
        for (const answer of toAnswers(head, outcome))
          fleet.nats.publish(subjects.answer(sender, order.id), encode(answer))
      },
    })
}

function outcomeOf(edge: Edge, order: Order): OrderOutcome {
  if (order.expiresAt <= Date.now()) return { ok: false, reason: 'the order has expired' }
  edge.context.log.info('order', { id: order.id, kind: order.action.kind, by: order.givenBy })
  try {
    return carryOut(edge.context, order.action)
  } catch (error) {
    return { ok: false, reason: reasonOf(error) }
  }
}

/** Keeps the last outcomes, so that an order that arrives again gets the same answer. */
function remember(outcomes: Map<string, OrderOutcome>, id: string, outcome: OrderOutcome): void {
  outcomes.set(id, outcome)
  if (outcomes.size > rememberedMax) outcomes.delete(outcomes.keys().next().value!)
}
