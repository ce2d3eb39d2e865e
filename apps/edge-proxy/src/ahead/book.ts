/**
 * The commands that clients of one server send next. A context describes a position in a session. For each context, the book
 * counts the shapes that followed, and keeps for each hole of a shape the sources that had its value. A command is learned in
 * several contexts, from the most general to the most specific: a specific context predicts better, a general one is known sooner.
 */
import { holesIn, type Command } from './shapes.ts'
import {
  learnHole,
  newestPage,
  valueOf,
  type IsOpen,
  type PageSize,
  type Scored,
  type View,
} from './sources.ts'

interface Outcome {
  readonly id: number
  readonly shape: string
  count: number
  /** For each hole, in the most general context only. */
  readonly sources: Scored[][]
}

interface Context {
  readonly id: number
  readonly key: string
  /** By shape. */
  readonly outcomes: Map<string, Outcome>
  bytes: number
}

const countDecay = 0.9
/** A more general context counts as much as this many visits to a specific one. */
const wideWeight = 1
/** Share of the shape that followed the same command about the same message before: the structure of a message never changes. */
const repeatedShare = 0.95
const outcomesMax = 12

/** A shape that may follow a context, and its share of all that followed, 0 to 1. */
export interface Next {
  readonly shape: string
  readonly share: number
}

/** The values of all holes of a shape, and their combined confidence, 0 to 1. */
export interface Filled {
  readonly holes: readonly string[]
  readonly confidence: number
}

export class Book {
  readonly #bytesMax: number
  #bytes = 0
  /** The most recently used is last. */
  readonly #contexts = new Map<string, Context>()
  #lastId = 0

  constructor(bytesMax = 2_097_152) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /**
   * The command followed these contexts, the most general first.
   * @returns the places of its holes, for `View.value`
   */
  learn(
    keys: readonly string[],
    { shape, holes }: Pick<Command, 'shape' | 'holes'>,
    view: View,
    isOpen: IsOpen = () => true,
  ): string[] {
    const places: string[] = []
    for (const [level, key] of keys.entries()) {
      const context = this.#touch(key)
      for (const each of context.outcomes.values()) each.count *= countDecay
      const outcome = context.outcomes.get(shape) ?? this.#addOutcome(context, shape, level === 0)
      outcome.count++
      if (level > 0) continue
      for (const [index, value] of holes.entries()) {
        const place = placeOf(outcome, index)
        places.push(place)
        const grown = learnHole(outcome.sources[index]!, value, view, place, isOpen)
        this.#grow(context, grown * sourceBytes)
      }
    }
    this.#evict()
    return places
  }

  #touch(key: string): Context {
    const context = this.#contexts.get(key) ?? {
      id: ++this.#lastId,
      key,
      outcomes: new Map<string, Outcome>(),
      bytes: 0,
    }
    if (context.bytes === 0) this.#grow(context, 200 + key.length)
    this.#contexts.delete(key)
    this.#contexts.set(key, context)
    return context
  }

  #addOutcome(context: Context, shape: string, hasSources: boolean): Outcome {
    if (context.outcomes.size >= outcomesMax) {
      const rarest = [...context.outcomes.values()].reduce((one, each) =>
        each.count < one.count ? each : one,
      )
      context.outcomes.delete(rarest.shape)
      this.#grow(context, -bytesOf(rarest))
    }
    const sources = Array.from({ length: hasSources ? holesIn(shape) : 0 }, (): Scored[] => [])
    const outcome = { id: ++this.#lastId, shape, count: 0, sources }
    context.outcomes.set(shape, outcome)
    this.#grow(context, bytesOf(outcome))
    return outcome
  }

  #grow(context: Context, bytes: number): void {
    context.bytes += bytes
    this.#bytes += bytes
  }

  #evict(): void {
    for (const [key, context] of this.#contexts) {
      if (this.#bytes <= this.#bytesMax) return
      this.#contexts.delete(key)
      this.#bytes -= context.bytes
    }
  }

  /** An identifier of the context that is never used again. Undefined: the context is unknown. */
  idOf(key: string): number | undefined {
    return this.#contexts.get(key)?.id
  }

  /** Whether this shape has followed the context. */
  knows(key: string, shape: string): boolean {
    return this.#contexts.get(key)?.outcomes.has(shape) === true
  }

  /** The shapes that may follow these contexts, the most general first. Empty: the context is unknown. */
  next(keys: readonly [string, ...string[]], view: View): Next[] {
    const widest = this.#contexts.get(keys[0])
    if (widest === undefined) return []
    let shares = sharesIn(widest)
    for (const key of keys.slice(1)) {
      const context = this.#contexts.get(key)
      if (context !== undefined) shares = refined(shares, context)
    }
    const again = view.repeated
    if (again !== undefined && shares.has(again))
      for (const [shape, share] of shares)
        shares.set(shape, share * (1 - repeatedShare) + (shape === again ? repeatedShare : 0))
    return [...shares]
      .map(([shape, share]) => ({ shape, share }))
      .toSorted((one, other) => other.share - one.share)
  }

  /** The values of all holes of a shape. Undefined: no source of one of the holes has a value. */
  fill(key: string, shape: string, view: View, isOpen: IsOpen): Filled | undefined {
    const outcome = this.#contexts.get(key)?.outcomes.get(shape)
    if (outcome === undefined) return undefined
    const holes: string[] = []
    let confidence = 1
    for (const [index, sources] of outcome.sources.entries()) {
      const sourced = valueOf(sources, view, placeOf(outcome, index), isOpen)
      if (sourced === undefined) return undefined
      holes.push(sourced.value)
      confidence = Math.min(confidence, sourced.confidence)
    }
    return { holes, confidence }
  }

  /** The size of the page of newest messages that the shape asks for. Undefined: it does not ask for such a page. */
  pageSize(key: string, shape: string): PageSize | undefined {
    const sources = this.#contexts.get(key)?.outcomes.get(shape)?.sources
    return sources?.length === 1 ? newestPage(sources[0]!) : undefined
  }
}

function sharesIn({ outcomes }: Context): Map<string, number> {
  const total = totalOf(outcomes)
  return new Map([...outcomes.values()].map(({ shape, count }) => [shape, count / total]))
}

/** The shares, adjusted by the counts of a more specific context. */
function refined(shares: ReadonlyMap<string, number>, { outcomes }: Context): Map<string, number> {
  const total = totalOf(outcomes)
  return new Map(
    [...shares].map(([shape, share]) => {
      const count = outcomes.get(shape)?.count ?? 0
      return [shape, (count + wideWeight * share) / (total + wideWeight)]
    }),
  )
}

const totalOf = (outcomes: ReadonlyMap<string, Outcome>): number =>
  [...outcomes.values()].reduce((sum, { count }) => sum + count, 0)
const placeOf = (outcome: Outcome, index: number): string => `${outcome.id}.${index}`
const bytesOf = ({ shape, sources }: Outcome): number =>
  150 + shape.length + sources.reduce((bytes, each) => bytes + each.length * sourceBytes, 0)
const sourceBytes = 80
