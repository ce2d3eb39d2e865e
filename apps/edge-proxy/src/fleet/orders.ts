/**
 * Carries out orders of the fleet. Each order is carried out once and always answered. The expiry of an order is
 * checked by its duration, because the clocks of control and of this edge may differ. A message that arrives now was not sent
 * before the last time at which the connection is known to have had no messages in flight.
 */
import type { NatsHandles } from '@imapfleet/nats'
import {
  decode,
  encode,
  orderRefusal,
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
import { runtime } from '../runtime.ts'
import { version } from '../version.ts'
import { isFromControl, type Forgeries } from './from-control.ts'
import type { Sender } from './nats.ts'

const rememberedMax = 1000

/** Call `confirm` at this interval. It is far below the lifetime of an order, which is 10 s or more. */
export const confirmMs = 3_000

export class Orders {
  readonly #edge: Edge
  readonly #sender: Sender
  readonly #now: () => number
  /** The last outcomes, so that an order that arrives again gets the same answer, also on a later connection. */
  readonly #outcomes = new Map<string, OrderOutcome>()
  /** A message that arrives now was sent after this time. */
  #sentSince: number
  #isWarned = false
  readonly #forgeries: Forgeries
  #isSilent = false

  /** @param now monotonic, in milliseconds */
  constructor(edge: Edge, sender: Sender, now: () => number = () => runtime.now()) {
    this.#edge = edge
    this.#sender = sender
    this.#now = now
    this.#sentSince = now()
    const { log, metrics } = edge.context
    this.#forgeries = { log, forged: metrics.counters.forged_messages_total }
  }

  /** Subscribes for the life of this connection. */
  subscribe({ nats }: Pick<NatsHandles, 'nats'>): void {
    this.#isWarned = false
    for (const subject of subjects.ordersFor(this.#sender))
      nats.subscribe(subject, {
        callback: (error, message) => {
          if (error || !isFromControl(message, this.#forgeries)) return
          for (const answer of this.#answersTo(message.data))
            if (!this.#isSilent) nats.publish(answer.subject, answer.data)
        },
      })
  }

  /** A new process answers for this edge. Orders are still carried out for the sessions of this process. */
  leaveAnswers(): void {
    this.#isSilent = true
  }

  /** Call it after each connect: NATS keeps no order for an edge that is not connected. */
  connected(): void {
    this.#sentSince = this.#now()
  }

  /**
   * Requests an answer from NATS. It arrives after all messages that NATS sent before, so later messages were sent after this
   * call. If this process or its connection was halted, the request or the answer is old. Never rejects.
   */
  async confirm({ nats }: Pick<NatsHandles, 'nats'>): Promise<void> {
    const askedAt = this.#now()
    try {
      await nats.flush()
      this.#sentSince = Math.max(this.#sentSince, askedAt)
    } catch {
      // The connection was lost.
    }
  }

  #answersTo(data: Uint8Array): { subject: string; data: Uint8Array }[] {
    const decoded = decode(orderSchema, data)
    if (!decoded.ok) {
      // Once per connection to NATS, because a faulty sender may send many.
      if (!this.#isWarned) this.#edge.context.log.warn('order_unreadable', { reason: decoded.reason })
      this.#isWarned = true
      // Control may have a newer version. The refusal is sent so that control does not wait for this edge.
      const refusal = orderRefusal(data, version)
      return refusal ? this.#answers(refusal.id, { ok: false, reason: refusal.reason }) : []
    }
    const order = decoded.value
    const outcome = this.#outcomes.get(order.id) ?? this.#outcomeOf(order)
    this.#remember(order.id, outcome)
    return this.#answers(order.id, outcome)
  }

  #answers(order: string, outcome: OrderOutcome): { subject: string; data: Uint8Array }[] {
    const head = { v: wireVersion, ...this.#sender, at: runtime.wall(), order } as const
    const subject = subjects.answer(this.#sender, order)
    return toAnswers(head, outcome).map((answer) => ({ subject, data: encode(answer) }))
  }

  #outcomeOf(order: Order): OrderOutcome {
    const { context } = this.#edge
    // Both times are from the clock of control.
    const lifetimeMs = order.expiresAt - order.at
    if (lifetimeMs <= 0) return { ok: false, reason: 'the order has expired' }
    const ageMaxMs = this.#now() - this.#sentSince
    if (ageMaxMs > lifetimeMs) {
      const seconds = Math.round(ageMaxMs / 1000)
      context.log.warn('order_refused', { id: order.id, kind: order.action.kind, halted_seconds: seconds })
      return {
        ok: false,
        reason: `the order may have expired: this edge or its connection to NATS was halted for ${seconds} s`,
      }
    }
    context.log.info('order', { id: order.id, kind: order.action.kind, by: order.givenBy })
    try {
      return carryOut(context, order.action)
    } catch (error) {
      return { ok: false, reason: reasonOf(error) }
    }
  }

  #remember(id: string, outcome: OrderOutcome): void {
    this.#outcomes.set(id, outcome)
    if (this.#outcomes.size > rememberedMax) this.#outcomes.delete(this.#outcomes.keys().next().value!)
  }
}
