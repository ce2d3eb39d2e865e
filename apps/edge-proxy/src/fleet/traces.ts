/** Traces that the fleet requested. Their lines are sent in batches and in order. */
import type { NatsHandles, SendRefusal } from '@imapfleet/nats'
import type { Counter } from '@imapfleet/observe'
import {
  streams,
  subjects,
  traceBytesMax,
  traceTextMax,
  wireVersion,
  type TraceBatch,
  type DesiredTrace,
} from '@imapfleet/protocol'
import type { Edge } from '../edge/edge.ts'
import { startTrace, stopTrace } from '../ops/operations.ts'
import type { TraceEnd, TracedLine, TraceOrder, TraceSink } from '../observe/trace.ts'
import { runtime, type Timer } from '../runtime.ts'
import type { Sender } from './nats.ts'
import { SendQueue } from './send-queue.ts'

const flushMs = 100
/** A long trace collects lines for longer, because the stream keeps a limited number of batches for one edge. */
const patientFlushMs = 1_000
const hastyBatches = 100
const linesMax = 200
/** Limit on the lines of one batch as JSON. The rest of a message is for the sender and the user. */
const linesBytesMax = traceBytesMax - 8_192
/** Limit on waiting batches. Beyond it, the oldest is dropped, because traces are watched live. */
const waitingMax = 2000

interface Gathered {
  order: TraceOrder
  lines: TracedLine[]
  bytes: number
}

export interface FleetTracesOptions {
  edge: Edge
  sender: Sender
  /** Undefined while NATS is down. */
  fleet: () => NatsHandles | undefined
  /** Milliseconds since 1970, by the clock of control. */
  controlNow?: (() => number) | undefined
  /** Counts lines that were dropped before they were sent. */
  lost: Counter
  refused: (why: SendRefusal) => void
}

export class FleetTraces implements TraceSink {
  readonly #edge: Edge
  readonly #sender: Sender
  readonly #queue: SendQueue<TraceBatch>
  /** Trace id → sequence of its last batch. */
  readonly #sequences = new Map<string, number>()
  #lines = new Map<string, Gathered>()
  #timer: Timer | undefined
  #wanted: readonly DesiredTrace[] = []
  readonly #controlNow: () => number

  constructor({ edge, sender, fleet, controlNow = () => runtime.wall(), lost, refused }: FleetTracesOptions) {
    this.#controlNow = controlNow
    this.#edge = edge
    this.#sender = sender
    this.#queue = new SendQueue<TraceBatch>({
      max: waitingMax,
      fleet,
      stream: streams.traces,
      subjectOf: subjects.trace,
      idOf: (batch) => `${batch.edge}/${batch.boot}/${batch.trace}/${batch.sequence}`,
      dropped: ({ lines }) => (lost.value += lines.length),
      refused,
      failed: (reason) => edge.context.log.debug('trace_unsent', { reason }),
    })
  }

  /** Starts requested traces and stops all others. Call it again when the time of control becomes known. */
  follow(wanted: readonly DesiredTrace[] = this.#wanted): void {
    this.#wanted = wanted
    const ids = new Set(wanted.map(({ id }) => id))
    for (const id of this.#sequences.keys()) if (!ids.has(id)) stopTrace(this.#edge.context, id)
    for (const trace of wanted) {
      const leftMs = trace.expiresAt - this.#controlNow()
      const isRunning = this.#sequences.has(trace.id)
      if (!isRunning && leftMs <= 0) continue
      if (!isRunning) {
        this.#sequences.set(trace.id, 0)
        // An empty batch tells control that this edge takes part.
        this.#add(this.#batch(trace, []))
      }
      startTrace(this.#edge.context, { ...trace, expiresAt: this.#edge.context.clock.wall() + leftMs }, this)
    }
  }

  line(order: TraceOrder, line: TracedLine): void {
    // Postgres cannot store NUL in text.
    const sent = { ...line, text: line.text.slice(0, traceTextMax).replaceAll('\0', '\u2400') }
    const bytes = Buffer.byteLength(JSON.stringify(sent)) + 1
    if ((this.#lines.get(order.id)?.bytes ?? 0) + bytes > linesBytesMax) this.flush()
    let gathered = this.#lines.get(order.id)
    if (!gathered) this.#lines.set(order.id, (gathered = { order, lines: [], bytes: 0 }))
    gathered.lines.push(sent)
    gathered.bytes += bytes
    if (gathered.lines.length >= linesMax) return this.flush()
    const isLong = (this.#sequences.get(order.id) ?? 0) > hastyBatches
    this.#timer ??= runtime.after(isLong ? patientFlushMs : flushMs, () => this.flush())
  }

  /** Why NATS refuses lines. Undefined: it does not refuse them. */
  get refusal(): SendRefusal | undefined {
    return this.#queue.refusal
  }

  ended(order: TraceOrder, why: TraceEnd): void {
    this.flush()
    this.#add({ ...this.#batch(order, []), ended: why })
    this.#sequences.delete(order.id)
  }

  /** Queues the lines gathered so far as batches. */
  flush(): void {
    runtime.cancel(this.#timer)
    this.#timer = undefined
    const gathered = this.#lines
    this.#lines = new Map()
    for (const { order, lines } of gathered.values()) this.#add(this.#batch(order, lines))
  }

  /** Never rejects. Batches that are not acknowledged stay. */
  send(): Promise<void> {
    return this.#queue.send()
  }

  #batch(order: TraceOrder, lines: TracedLine[]): TraceBatch {
    const sequence = (this.#sequences.get(order.id) ?? 0) + 1
    this.#sequences.set(order.id, sequence)
    const { id: trace, user } = order
    return {
      v: wireVersion,
      ...this.#sender,
      at: this.#edge.context.clock.wall(),
      trace,
      user,
      sequence,
      lines,
    }
  }

  #add(batch: TraceBatch): void {
    this.#queue.add(batch)
    void this.send()
  }
}
