/**
 * Sends an order to many edges and gathers their answers, until all expected edges have answered or the time is up. An
 * edge without an answer is missing from the result; the caller knows which edges it expected.
 */
import {
  AnswerParts,
  encode,
  orderAnswerSchema,
  subjects,
  type Order,
  type OrderKind,
  type OrderOutcome,
  type OrderAddress,
} from '@imapfleet/protocol'
import { createInbox, type Msg } from '@nats-io/transport-node'
import type { Bus } from '../../platform/nats/bus.ts'
import { recognise } from '../../platform/nats/recognise.ts'

/** Size of the answers of all edges to one order, in total. Control holds them in memory for the request. */
const bytesMax = 16_777_216

export async function sendOrder(
  bus: Bus,
  order: Order,
  target: OrderAddress,
  expected: ReadonlySet<string>,
  timeoutMs: number,
): Promise<ReadonlyMap<string, OrderOutcome>> {
  const { nats } = bus.link()
  const answers = new Answers(order.action.kind)
  const waiting = new Set(expected)
  const inbox = createInbox()
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const hear = (error: Error | null, message: Msg) => {
    if (error) return end()
    const answered = answers.add(message)
    if (answered !== undefined) waiting.delete(answered)
    if (waiting.size === 0) end()
  }
  const subscriptions = [
    nats.subscribe(subjects.answersTo(order.id), { callback: hear }),
    // Only the server publishes here: it reports that there are no subscribers.
    nats.subscribe(inbox, { callback: () => end() }),
  ]
  const timer = setTimeout(end, timeoutMs)
  try {
    nats.publish(subjects.order(target), encode(order), { reply: inbox })
    await over
  } finally {
    clearTimeout(timer)
    for (const subscription of subscriptions) subscription.unsubscribe()
  }
  return answers.complete
}

/** The first complete answer of an edge counts. */
class Answers {
  readonly complete = new Map<string, OrderOutcome>()
  readonly #kind: OrderKind
  readonly #parts = new Map<string, AnswerParts<OrderKind>>()
  #bytes = 0

  constructor(kind: OrderKind) {
    this.#kind = kind
  }

  /** The edge whose answer is complete with this message. */
  add(message: Msg): string | undefined {
    const recognised = recognise(orderAnswerSchema, message, (value) => subjects.answer(value, value.order))
    if (!recognised.ok) return undefined
    const answer = recognised.value
    if (this.complete.has(answer.edge)) return undefined
    this.#bytes += message.data.length
    let parts = this.#parts.get(answer.edge)
    if (!parts) this.#parts.set(answer.edge, (parts = new AnswerParts(this.#kind)))
    const outcome = this.#bytes > bytesMax ? leftOut : parts.add(answer)
    if (!outcome) return undefined
    this.complete.set(answer.edge, outcome)
    this.#parts.delete(answer.edge)
    return answer.edge
  }
}

const leftOut = {
  ok: false,
  reason: 'its answer was left out because all answers together exceed 16 MiB: ask one region or one edge',
} as const
