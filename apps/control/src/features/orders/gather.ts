/**
 * Sends an order to many edges and gathers their answers, until all expected edges have answered or the time is up. An
 * edge without an answer is missing from the result; the caller knows which edges it expected, and how many processes of
 * each.
 */
import {
  AnswerParts,
  encode,
  orderAnswerSchema,
  orderResultText,
  subjects,
  type Order,
  type OrderKind,
  type OrderOutcome,
  type OrderAddress,
} from '@imapfleet/protocol'
import { createInbox, type Msg } from '@nats-io/transport-node'
import type { Deps } from '../../deps.ts'
import { recognise } from '../../platform/nats/recognise.ts'

/** Size of the answers of all edges to one order, in total. Control holds them in memory for the request. */
const bytesMax = 16_777_216
/** Of one edge, so that it leaves room for the others. */
const edgeBytesMax = 4_194_304

export async function sendOrder(
  { bus, intake }: Pick<Deps, 'bus' | 'intake'>,
  order: Order,
  target: OrderAddress,
  expected: ReadonlyMap<string, number>,
  timeoutMs: number,
): Promise<ReadonlyMap<string, OrderOutcome>> {
  const { nats } = bus.link()
  const answers = new Answers(order.action.kind)
  const waiting = new Map(expected)
  const inbox = createInbox()
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const hear = (error: Error | null, message: Msg) => {
    if (error) return end()
    if (intake.refuses('answer', message)) return
    const answered = answers.add(message)
    if (answered && answered.processes >= (waiting.get(answered.edge) ?? 0)) waiting.delete(answered.edge)
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
  return answers.outcomes
}

/** The answers to one order. If several processes use the id of an edge, each answers, and no single answer is complete. */
export class Answers {
  readonly #kind: OrderKind
  readonly #edges = new Map<string, Map<string, AnswerParts<OrderKind> | OrderOutcome>>()
  readonly #bytesOf = new Map<string, number>()
  #bytes = 0

  constructor(kind: OrderKind) {
    this.#kind = kind
  }

  /** The edge that has answered with this message, and how many of its processes have. */
  add(message: Pick<Msg, 'subject' | 'data'>): { edge: string; processes: number } | undefined {
    const recognised = recognise(orderAnswerSchema, message, (value) => subjects.answer(value, value.order))
    if (!recognised.ok) return undefined
    const { edge, boot } = recognised.value
    let boots = this.#edges.get(edge)
    if (!boots) this.#edges.set(edge, (boots = new Map()))
    let parts = boots.get(boot)
    if (!parts && boots.size === processesMax) return undefined
    if (!parts) boots.set(boot, (parts = new AnswerParts(this.#kind)))
    if (!(parts instanceof AnswerParts)) return undefined
    const bytes = (this.#bytesOf.get(edge) ?? 0) + message.data.length
    this.#bytesOf.set(edge, bytes)
    if (bytes <= edgeBytesMax) this.#bytes += message.data.length
    const outcome =
      bytes > edgeBytesMax ? tooLong : this.#bytes > bytesMax ? leftOut : parts.add(recognised.value)
    if (!outcome) return undefined
    boots.set(boot, outcome)
    return { edge, processes: completeOf(boots).length }
  }

  /** By edge. */
  get outcomes(): Map<string, OrderOutcome> {
    const outcomes = new Map<string, OrderOutcome>()
    for (const [edge, boots] of this.#edges) {
      const complete = completeOf(boots)
      const [first] = complete
      if (first) outcomes.set(edge, complete.length === 1 ? first.outcome : this.#ambiguous(complete))
    }
    return outcomes
  }

  #ambiguous(answers: readonly Complete[]): OrderOutcome {
    const texts = answers.map(
      ({ boot, outcome }) =>
        `boot ${boot}: ${outcome.ok ? orderResultText(this.#kind, outcome.result) : outcome.reason}`,
    )
    return {
      ok: false,
      reason: `${answers.length} processes use its id, and each has carried out the order (${texts.join('; ')}): give each its own edge.id`,
    }
  }
}

interface Complete {
  boot: string
  outcome: OrderOutcome
}

const completeOf = (boots: ReadonlyMap<string, AnswerParts<OrderKind> | OrderOutcome>): Complete[] =>
  [...boots].flatMap(([boot, outcome]) => (outcome instanceof AnswerParts ? [] : [{ boot, outcome }]))

/** Processes of one edge whose answers are kept. */
const processesMax = 8

const tooLong = { ok: false, reason: 'its answer was omitted because it exceeds 4 MiB' } as const

const leftOut = {
  ok: false,
  reason: 'its answer was omitted because all answers together exceed 16 MiB: ask one region or one edge',
} as const
