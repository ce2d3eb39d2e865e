/**
 * Answers of edges to orders. The edge splits an outcome into messages; control joins them and parses the result for the
 * kind of the order.
 */
import { z } from 'zod'
import { encode, messageBytesMax, senderShape, storableText } from './envelope.ts'
import { isListResult, parseResult, type OrderKind, type OrderResult } from './orders.ts'

const reasonCharactersMax = 4096

/** One message of an answer. A list may take several; the last one has `more: false`. */
export const orderAnswerSchema = z.object({
  ...senderShape,
  order: z.uuid(),
  ok: z.boolean(),
  /** Why it failed, for an operator. */
  reason: storableText(reasonCharactersMax).optional(),
  /** Parsed by `AnswerParts`, because the message does not name the kind of its order. */
  result: z.unknown(),
  more: z.boolean(),
})
export type OrderAnswer = z.infer<typeof orderAnswerSchema>

/** The outcome of an order on one edge. */
export type OrderOutcome<Kind extends OrderKind = OrderKind> =
  { ok: true; result: OrderResult<Kind> } | { ok: false; reason: string }

type AnswerHead = Pick<OrderAnswer, keyof typeof senderShape | 'order'>

/** Leaves room for the fields around a chunk. */
const chunkBytesMax = messageBytesMax / 2

/** The messages for one outcome. */
export function toAnswers(head: AnswerHead, outcome: OrderOutcome): OrderAnswer[] {
  if (!outcome.ok) {
    const reason = outcome.reason.replaceAll('\0', '').slice(0, reasonCharactersMax).toWellFormed()
    return [{ ...head, ok: false, reason, result: null, more: false }]
  }
  const { result } = outcome
  const chunks = Array.isArray(result) ? chunksOf<unknown>(result) : [result]
  return chunks.map((chunk, index) => ({
    ...head,
    ok: true,
    result: chunk,
    more: index < chunks.length - 1,
  }))
}

/** At least one chunk: an empty list is an answer too. */
function chunksOf<Item>(items: readonly Item[]): Item[][] {
  let chunk: Item[] = []
  const chunks = [chunk]
  let bytes = 0
  for (const item of items) {
    const size = encode(item).length + 1
    if (chunk.length > 0 && bytes + size > chunkBytesMax) {
      chunks.push((chunk = []))
      bytes = 0
    }
    chunk.push(item)
    bytes += size
  }
  return chunks
}

/** Joins the messages of one edge. A result that is not of the order's kind is a failure of that edge. */
export class AnswerParts<Kind extends OrderKind> {
  readonly #kind: Kind
  #items: unknown[] | undefined

  constructor(kind: Kind) {
    this.#kind = kind
  }

  /** The outcome, or undefined if more messages follow. */
  add({ ok, reason, result, more }: OrderAnswer): OrderOutcome<Kind> | undefined {
    if (!ok) return { ok, reason: reason ?? 'it gave no reason' }
    const parsed = parseResult(this.#kind, result)
    if (!parsed.ok) return malformed(parsed.reason)
    if (!more && !this.#items) return { ok, result: parsed.value }
    if (!isListResult(this.#kind)) return malformed('it came in more than one message')
    this.#items ??= []
    for (const item of parsed.value as unknown[]) this.#items.push(item)
    return more ? undefined : { ok, result: this.#items as OrderResult<Kind> }
  }
}

const malformed = (reason: string): { ok: false; reason: string } => ({
  ok: false,
  reason: `its answer is malformed (${reason}): check the version of the edge`,
})
