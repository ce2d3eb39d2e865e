/**
 * Admits messages from edges before they are decoded. Each edge has a budget for each kind of message, so that no edge
 * costs control more than its share or displaces the messages of others. What is refused is counted for its sender.
 */
import type { ControlMetrics, Log } from '@imapfleet/observe'
import { measurementBytesMax, messageBytesMax, type LeftOut } from '@imapfleet/protocol'
import type { Recognised } from './recognise.ts'

export type SentAs = 'heartbeat' | 'report' | 'answer' | 'trace' | 'evidence'

/** Why a message, or a part of it, was refused. */
export type RefusalKind =
  | 'too-many'
  | 'too-large'
  | 'malformed'
  /** Its sender differs from the sender in its subject, which NATS has checked. */
  | 'foreign'
  | 'series-unknown'
  | 'series-invalid'
  | 'series-limit'
  /** NATS refuses it: its stream holds as many messages of this edge as it may. */
  | 'share-full'
  /** The edge sends it as earlier versions did, which NATS refuses. */
  | 'outdated'

/** What was refused of one sender since it was last taken. */
export interface Refusal {
  edge: string
  sentAs: SentAs
  kind: RefusalKind
  reason: string
  count: number
}

interface Message {
  subject: string
  data: Uint8Array
}

/** In bytes; each message also costs `messageCost`. `perSecond` is several times what a busy edge sends. */
const budgets: Readonly<
  Record<'heartbeat' | 'report' | 'answer', { perSecond: number; burst: number; messageMax: number }>
> = {
  heartbeat: { perSecond: 262_144, burst: 1_048_576, messageMax: measurementBytesMax },
  // After an outage an edge sends the reports of a day.
  report: { perSecond: 1_048_576, burst: 8_388_608, messageMax: measurementBytesMax },
  answer: { perSecond: 4_194_304, burst: 16_777_216, messageMax: messageBytesMax },
}
const messageCost = 1_024
/** Only a shared NATS credential lets one sender use more subjects than there are edges. */
const sendersMax = 50_000
const refusalsMax = 2_000
/** Each edge and kind is logged once in this time, with a limit for all edges together. */
const logIntervalMs = 600_000
const logLinesMax = 200

interface Budget {
  left: number
  at: number
}

export class Intake {
  readonly #log: Log
  readonly #metrics: ControlMetrics
  readonly #now: () => number
  readonly #budgets = new Map<string, Budget>()
  #refusals = new Map<string, Refusal>()
  readonly #logged = new Set<string>()
  #loggingSince = -Infinity

  /** `now`: milliseconds that never go back, such as performance.now(). */
  constructor(log: Log, metrics: ControlMetrics, now: () => number) {
    this.#log = log
    this.#metrics = metrics
    this.#now = now
  }

  /** Undefined: the message can be decoded. Costs a fraction of what decoding costs. */
  refuses(sentAs: keyof typeof budgets, { subject, data }: Message): 'too-many' | 'too-large' | undefined {
    const { perSecond, burst, messageMax } = budgets[sentAs]
    const sender = senderIn(subject)
    const now = this.#now()
    let budget = this.#budgets.get(sender)
    if (!budget) {
      if (this.#budgets.size >= sendersMax) this.#forgetSenders()
      this.#budgets.set(sender, (budget = { left: burst, at: now }))
    }
    budget.left = Math.min(burst, budget.left + ((now - budget.at) * perSecond) / 1_000)
    budget.at = now
    const cost = data.length + messageCost
    if (budget.left < cost) {
      this.note(sentAs, subject, 'too-many', 'more than one edge may send')
      return 'too-many'
    }
    budget.left -= cost
    if (data.length <= messageMax) return undefined
    this.note(sentAs, subject, 'too-large', `larger than ${messageMax} bytes`)
    return 'too-large'
  }

  /** The value of a message that was admitted and decoded. Undefined: it is refused, and noted. */
  accepted<T extends object>(sentAs: SentAs, subject: string, recognised: Recognised<T>): T | undefined {
    if (!recognised.ok) {
      this.note(sentAs, subject, recognised.kind, recognised.reason)
      return undefined
    }
    const { leftOut }: { leftOut?: LeftOut | undefined } = recognised.value
    if (leftOut) this.#noteSeries(sentAs, subject, leftOut)
    return recognised.value
  }

  note(sentAs: SentAs, subject: string, kind: RefusalKind, reason: string, count = 1): void {
    if ((kind === 'malformed' || kind === 'foreign') && (sentAs === 'heartbeat' || sentAs === 'report'))
      this.#metrics.counters.control_invalid_messages_total({ sent_as: sentAs }).value++
    const edge = senderIn(subject).split('.')[3] ?? ''
    const key = `${edge} ${sentAs} ${kind}`
    const refusal = this.#refusals.get(key)
    if (refusal) refusal.count += count
    else if (this.#refusals.size < refusalsMax) this.#refusals.set(key, { edge, sentAs, kind, reason, count })
    // While a fleet is upgraded, edges are newer or older than control.
    if (kind !== 'series-unknown' && kind !== 'outdated')
      this.#logOnce(key, { edge, sent_as: sentAs, kind, reason })
  }

  /** What was refused since the last call. */
  take(): Refusal[] {
    const taken = [...this.#refusals.values()]
    this.#refusals = new Map()
    return taken
  }

  #noteSeries(sentAs: SentAs, subject: string, { unknown, invalid, beyondLimit }: LeftOut): void {
    if (unknown > 0)
      this.note(
        sentAs,
        subject,
        'series-unknown',
        'metrics, labels or values that this version does not have',
        unknown,
      )
    if (invalid > 0)
      this.note(sentAs, subject, 'series-invalid', 'label values that no name can have', invalid)
    if (beyondLimit > 0)
      this.note(sentAs, subject, 'series-limit', 'more series than one edge may have', beyondLimit)
  }

  #logOnce(key: string, fields: Record<string, string>): void {
    const now = this.#now()
    if (now - this.#loggingSince >= logIntervalMs) {
      this.#loggingSince = now
      this.#logged.clear()
    }
    if (this.#logged.has(key) || this.#logged.size >= logLinesMax) return
    this.#logged.add(key)
    this.#log.warn('messages of an edge are refused; further messages of this kind are only counted', fields)
  }

  /** The first half of the senders, in the order of the map. */
  #forgetSenders(): void {
    let left = sendersMax / 2
    for (const sender of this.#budgets.keys()) {
      if (left-- === 0) return
      this.#budgets.delete(sender)
    }
  }
}

/** `imapfleet.presence.eu.eu-1` of a subject, without what follows. */
function senderIn(subject: string): string {
  let end = -1
  for (let token = 0; token < 4; token++) {
    end = subject.indexOf('.', end + 1)
    if (end < 0) return subject
  }
  return subject.slice(0, end)
}
