/** Traces that the fleet has asked for: their lines go out in batches, in order, as long as the fleet can be reached. */
import {
  encode,
  streams,
  subjects,
  type EdgeAddress,
  type TraceBatch,
  type TraceWish,
} from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import type { TraceEnd, TracedLine, TraceOrder, TraceSink } from '../observe/tracer.ts'
import type { Fleet } from './link.ts'

const flushMs = 100
const linesMax = 200
/** Of text in one batch, well below what a message may hold when JSON has escaped it. */
const charactersMax = 100_000
const waitingMax = 2000
const textMax = 8192

interface Gathered {
  order: TraceOrder
  lines: TracedLine[]
  characters: number
}

export class TraceFeed implements TraceSink {
  readonly #edge: Edge
  readonly #address: EdgeAddress
  readonly #boot: string
  readonly #fleet: () => Fleet | undefined
  readonly #sequences = new Map<string, number>()
  #lines = new Map<string, Gathered>()
  #waiting: TraceBatch[] = []
  #timer: NodeJS.Timeout | undefined
  #sending = false

  constructor(edge: Edge, address: EdgeAddress, boot: string, fleet: () => Fleet | undefined) {
    this.#edge = edge
    this.#address = address
    this.#boot = boot
    this.#fleet = fleet
  }

  /** Makes the traces under way those that are wished for. */
  follow(wishes: readonly TraceWish[]): void {
    const { tracer, clock } = this.#edge
    const wanted = new Set(wishes.map((wish) => wish.id))
    for (const id of this.#sequences.keys()) if (!wanted.has(id)) tracer.stop(id, 'stopped')
    for (const wish of wishes) {
      if (this.#sequences.has(wish.id) || wish.expiresAt <= clock.now()) continue
      this.#sequences.set(wish.id, 0)
      // The first batch may be empty: it says that this edge takes part.
      this.#queue(this.#batch(wish, []))
      tracer.start(wish, this)
    }
  }

  line(order: TraceOrder, line: TracedLine): void {
    let gathered = this.#lines.get(order.id)
    if (!gathered) this.#lines.set(order.id, (gathered = { order, lines: [], characters: 0 }))
    gathered.lines.push({ ...line, text: line.text.slice(0, textMax).replaceAll('\0', '\u2400') })
    gathered.characters += line.text.length
    if (gathered.lines.length >= linesMax || gathered.characters >= charactersMax) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), flushMs)
  }

  ended(order: TraceOrder, why: TraceEnd): void {
    this.flush()
    this.#queue({ ...this.#batch(order, []), ended: why })
    this.#sequences.delete(order.id)
  }

  /** Sends what has been gathered. */
  flush(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const gathered = this.#lines
    this.#lines = new Map()
    for (const { order, lines } of gathered.values()) this.#queue(this.#batch(order, lines))
  }

  #batch(order: TraceOrder, lines: TracedLine[]): TraceBatch {
    const sequence = (this.#sequences.get(order.id) ?? 0) + 1
    this.#sequences.set(order.id, sequence)
    return {
      v: 1,
      ...this.#address,
      boot: this.#boot,
      at: Date.now(),
      trace: order.id,
      user: order.user,
      sequence,
      lines,
    }
  }

  #queue(batch: TraceBatch): void {
    this.#waiting.push(batch)
    // A trace is for a person who watches: while nobody can be reached the oldest lines go first.
    if (this.#waiting.length > waitingMax) this.#waiting.shift()
    void this.send()
  }

  /** Publishes in order; what cannot be published waits for the next occasion. Never rejects. */
  async send(): Promise<void> {
    if (this.#sending) return
    this.#sending = true
    try {
      for (let fleet = this.#fleet(); fleet && this.#waiting.length > 0; fleet = this.#fleet()) {
        const batch = this.#waiting[0]!
        const id = `${batch.edge}/${batch.boot}/${batch.trace}/${batch.sequence}`
        await fleet.jetstream.publish(subjects.trace(this.#address, batch.trace), encode(batch), {
          msgID: id,
          expect: { streamName: streams.traces },
        })
        if (this.#waiting[0] === batch) this.#waiting.shift()
      }
    } catch (error) {
      this.#edge.log.debug('trace_unsent', { reason: (error as Error).message })
    } finally {
      this.#sending = false
    }
  }
}
