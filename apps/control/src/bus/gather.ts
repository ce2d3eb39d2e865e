/**
 * An order to many edges, and their answers: ends when all that are expected have answered, or when the time is up. Says
 * nothing of those who stayed silent; the caller knows whom it expected.
 */
import {
  encode,
  orderAnswerSchema,
  subjects,
  type Order,
  type OrderAnswer,
  type Target,
} from '@imapfleet/protocol'
import { createInbox, type Msg } from '@nats-io/transport-node'
import type { Bus } from './bus.ts'
import { recognise } from './recognise.ts'

/** One edge's whole answer. */
export interface Answered {
  edge: string
  region: string
  ok: boolean
  reason: string | undefined
  result: unknown
}

/** All answers to one order; what is beyond is left out and said so. */
const bytesMax = 16_777_216

export async function giveOrder(
  bus: Bus,
  order: Order,
  target: Target,
  expected: ReadonlySet<string>,
  timeoutMs: number,
): Promise<Map<string, Answered>> {
  const { nats } = bus.link()
  const answers = new Answers()
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
    // Only the server itself says something there: that nobody listens at all.
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

/** Puts chunks together; the first whole answer of an edge counts. */
class Answers {
  readonly complete = new Map<string, Answered>()
  readonly #parts = new Map<string, unknown[]>()
  #bytes = 0

  /** The edge whose answer is whole with this. */
  add(message: Msg): string | undefined {
    const recognised = recognise(orderAnswerSchema, message, (value) => subjects.answer(value, value.order))
    if (!recognised.ok) return undefined
    const answer = recognised.value
    if (this.complete.has(answer.edge)) return undefined
    this.#bytes += message.data.length
    const parts = this.#parts.get(answer.edge)
    if (answer.more) {
      this.#parts.set(answer.edge, [...(parts ?? []), ...(this.#isFull() ? [] : listOf(answer))])
      return undefined
    }
    const { edge, region, ok, reason } = answer
    const result = parts ? [...parts, ...listOf(answer)] : answer.result
    this.complete.set(edge, { edge, region, ok, reason, ...(this.#isFull() ? leftOut : { result }) })
    this.#parts.delete(edge)
    return edge
  }

  #isFull(): boolean {
    return this.#bytes > bytesMax
  }
}

const leftOut = {
  result: null,
  reason: 'its answer was left out because all answers together exceed 16 MiB: ask one region or one edge',
}

const listOf = (answer: OrderAnswer): unknown[] => (Array.isArray(answer.result) ? answer.result : [])
