/**
 * What clients of one server ask next. A context is the number of questions so far and the shapes of the last two. For each
 * shape that followed it, the book has a count, and for each hole of the shape the sources that had its value.
 */
import { uidPage, sizeOfSet } from './facts.ts'
import { holesIn, type Command } from './shapes.ts'

/** What a source is read from, at the moment before a command. */
export interface View {
  /** Hole `index` of the command `back` commands ago, from 1. */
  hole(back: number, index: number): string | undefined
  /** Messages in the mailbox that is selected. */
  readonly exists: number | undefined
  /** What the last search has found, or will find. */
  readonly found: readonly number[] | undefined
  /** A parameter of the page, if the client program sent it in its ID. */
  hint(name: string): string | undefined
  readonly hints: readonly string[]
  /** What the same user last used at this place. */
  value(place: string): string | undefined
  /** The shape that followed when the same user last sent the same command here. */
  readonly repeated: string | undefined
}

/** Where the value of a hole comes from. */
export type Source =
  | { kind: 'hint'; name: string }
  | { kind: 'back'; back: number; index: number }
  | { kind: 'exists' }
  | { kind: 'page'; end: 'last' | 'first'; count: number }
  | { kind: 'remembered' }

interface Scored {
  readonly source: Source
  score: number
}

interface Outcome {
  readonly id: number
  readonly shape: string
  count: number
  /** For each hole. */
  readonly sources: Scored[][]
}

interface Context {
  readonly key: string
  /** By shape. */
  readonly outcomes: Map<string, Outcome>
  bytes: number
}

const countDecay = 0.85
const scoreDecay = 0.7
const scoreGain = 0.3
/** A source that was right once is used until it was wrong. */
const scoreMin = 0.3
const outcomesMax = 12
const sourcesMax = 8
const backMax = 4
const pageMax = 1000

/** A prediction: the most frequent shape in a context, with its holes filled. */
export interface Next {
  readonly shape: string
  /** Undefined: no source of one of them has a value. */
  readonly holes: readonly string[] | undefined
  /** Its share of all that followed this context, 0 to 1. */
  readonly share: number
}

export class Book {
  readonly #bytesMax: number
  #bytes = 0
  /** The one used last at the end. */
  readonly #contexts = new Map<string, Context>()
  #lastId = 0

  constructor(bytesMax = 1_048_576) {
    this.#bytesMax = bytesMax
  }

  get bytes(): number {
    return this.#bytes
  }

  /** The command followed this context. Returns the places of its holes, for `View.value`. */
  learn(key: string, { shape, holes }: Pick<Command, 'shape' | 'holes'>, view: View): string[] {
    const context = this.#touch(key)
    for (const each of context.outcomes.values()) each.count *= countDecay
    const outcome = context.outcomes.get(shape) ?? this.#addOutcome(context, shape)
    outcome.count++
    const places = holes.map((_, index) => placeOf(outcome, index))
    for (const [index, value] of holes.entries()) this.#learnHole(context, outcome, index, value, view)
    this.#evict()
    return places
  }

  #touch(key: string): Context {
    const context = this.#contexts.get(key) ?? { key, outcomes: new Map<string, Outcome>(), bytes: 0 }
    if (context.bytes === 0) this.#grow(context, 200 + key.length)
    this.#contexts.delete(key)
    this.#contexts.set(key, context)
    return context
  }

  #addOutcome(context: Context, shape: string): Outcome {
    if (context.outcomes.size >= outcomesMax) {
      const rarest = [...context.outcomes.values()].reduce((one, each) =>
        each.count < one.count ? each : one,
      )
      context.outcomes.delete(rarest.shape)
      this.#grow(context, -bytesOf(rarest))
    }
    const sources = Array.from({ length: holesIn(shape) }, (): Scored[] => [])
    const outcome = { id: ++this.#lastId, shape, count: 0, sources }
    context.outcomes.set(shape, outcome)
    this.#grow(context, bytesOf(outcome))
    return outcome
  }

  #learnHole(context: Context, outcome: Outcome, index: number, value: string, view: View): void {
    const sources = outcome.sources[index]!
    const place = placeOf(outcome, index)
    for (const scored of sources) {
      const said = read(scored.source, view, place)
      if (said !== undefined) scored.score = scored.score * scoreDecay + (said === value ? scoreGain : 0)
    }
    for (const source of candidates(value, view)) {
      // The value is about to be remembered.
      if (source.kind !== 'remembered' && read(source, view, place) !== value) continue
      if (sources.some((scored) => isSame(scored.source, source))) continue
      if (sources.length >= sourcesMax) {
        const worst = sources.reduce((one, each) => (each.score < one.score ? each : one))
        if (worst.score >= scoreMin) continue
        sources.splice(sources.indexOf(worst), 1)
        this.#grow(context, -sourceBytes)
      }
      sources.push({ source, score: scoreGain })
      this.#grow(context, sourceBytes)
    }
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

  /** Whether this shape has followed the context. */
  knows(key: string, shape: string): boolean {
    return this.#contexts.get(key)?.outcomes.has(shape) === true
  }

  /** What most probably follows the context. Undefined: it has never been seen. */
  next(key: string, view: View): Next | undefined {
    const context = this.#contexts.get(key)
    if (context === undefined) return undefined
    let best: Outcome | undefined
    let total = 0
    for (const each of context.outcomes.values()) {
      total += each.count
      if (best === undefined || each.count > best.count) best = each
    }
    // What a message consists of decides on what is asked about it, and it does not change.
    const again = view.repeated === undefined ? undefined : context.outcomes.get(view.repeated)
    const outcome = again ?? best
    if (outcome === undefined) return undefined
    const share = again ? 1 : outcome.count / total
    const holes: string[] = []
    for (const [index, sources] of outcome.sources.entries()) {
      const value = valueOf(sources, view, placeOf(outcome, index))
      if (value === undefined) return { shape: outcome.shape, holes: undefined, share }
      holes.push(value)
    }
    return { shape: outcome.shape, holes, share }
  }
}

const placeOf = (outcome: Outcome, index: number): string => `${outcome.id}.${index}`
const bytesOf = ({ shape, sources }: Outcome): number =>
  150 + shape.length + sources.reduce((bytes, each) => bytes + each.length * sourceBytes, 0)
const sourceBytes = 80

/**
 * The value of the best source that has one. What the user last used counts only if the value comes from nowhere else: where
 * it is usually a count or a set of the mailbox, an old one is wrong as soon as the mailbox has changed.
 */
function valueOf(sources: readonly Scored[], view: View, place: string): string | undefined {
  const usable = sources.filter(({ score }) => score >= scoreMin)
  const fresh = usable.filter(({ source }) => source.kind !== 'remembered')
  let best: { value: string; score: number } | undefined
  for (const { source, score } of fresh.length > 0 ? fresh : usable) {
    if (best !== undefined && score <= best.score) continue
    const value = read(source, view, place)
    if (value !== undefined) best = { value, score }
  }
  return best?.value
}

/** Sources that may have the value. */
function candidates(value: string, view: View): Source[] {
  const sources: Source[] = view.hints.map((name) => ({ kind: 'hint', name }))
  for (let back = 1; back <= backMax; back++)
    for (let index = 0; index < 3; index++) sources.push({ kind: 'back', back, index })
  sources.push({ kind: 'exists' })
  const count = view.found === undefined ? undefined : sizeOfSet(value, pageMax)
  if (count !== undefined) {
    // A page that holds all messages says nothing about the size of a page.
    const isAll = count >= view.found!.length
    sources.push({ kind: 'page', end: 'last', count: isAll ? Infinity : count })
    if (!isAll) sources.push({ kind: 'page', end: 'first', count })
  }
  sources.push({ kind: 'remembered' })
  return sources
}

function read(source: Source, view: View, place: string): string | undefined {
  switch (source.kind) {
    case 'hint':
      return view.hint(source.name)
    case 'back':
      return view.hole(source.back, source.index)
    case 'exists':
      // No message has the number 0.
      return view.exists === undefined || view.exists === 0 ? undefined : String(view.exists)
    case 'page':
      return view.found === undefined ? undefined : uidPage(view.found, source.end, source.count)
    case 'remembered':
      return view.value(place)
  }
}

function isSame(one: Source, other: Source): boolean {
  if (one.kind !== other.kind) return false
  switch (one.kind) {
    case 'hint':
      return other.kind === 'hint' && one.name === other.name
    case 'back':
      return other.kind === 'back' && one.back === other.back && one.index === other.index
    case 'page':
      return other.kind === 'page' && one.end === other.end && one.count === other.count
    case 'exists':
    case 'remembered':
      return true
  }
}
