/**
 * Applies evidence of other edges about secrets of users. Messages arrive live, with their sequence in the stream. After
 * a connect, and after a gap, the edge reads the missed messages. If it cannot know which it missed, it distrusts the
 * connections of all users.
 */
import type { NatsHandles } from '@imapfleet/nats'
import { reasonOf, type Counter, type Log } from '@imapfleet/observe'
import {
  decode,
  encode,
  evidenceKeptMs,
  evidenceRead,
  evidenceSchema,
  streams,
  subjects,
} from '@imapfleet/protocol'
import { runtime, type Timer } from '../runtime.ts'

export interface EvidenceFeedOptions {
  /** Identifies this run. The feed skips its own messages. */
  boot: string
  /** Undefined while NATS is down. */
  fleet: () => NatsHandles | undefined
  /** Monotonic, in milliseconds. */
  now: () => number
  /** Distrusts connections that secrets of these users opened. */
  distrust: (users: readonly string[]) => void
  /** Distrusts every open connection. */
  distrustAll: () => void
  /** Counts changes that other edges reported. */
  received: Counter
  /** Counts the times that all connections were distrusted. */
  missed: Counter
  log: Log
}

type Received = Pick<Awaited<ReturnType<NatsHandles['nats']['request']>>, 'headers' | 'data'>

interface Stored {
  readonly sequence: number
  readonly data: Uint8Array
  /** The subject of the sender. */
  readonly subject: string
}

/** The last message of the stream that this edge knows. */
interface Position extends Pick<Stored, 'sequence' | 'data'> {
  /** It was stored at this time or later. */
  readonly storedSince: number
}

type Missed = { kind: 'some'; messages: Stored[] } | { kind: 'all'; last: Stored | undefined; reason: string }

/** Limit on messages that are read after a gap. With more, all connections are distrusted, which costs less. */
const readMax = 500
/** Number of simultaneous reads. */
const readsAtOnce = 50
/** Limit on live messages of one edge in one second. An edge sends two. With more, all
 * connections are distrusted once a second. */
const perSecondMax = 10
/** Delay of a read after a gap. */
const gapMs = 100
/** Delay of a read after a message that is not new. Another edge can make JetStream repeat it many times. */
const repeatedMs = 10_000
const readTimeoutMs = 5_000
const retryMs = 1_000
/** JetStream may have removed older messages. */
const certainMs = evidenceKeptMs * 0.9

export class EvidenceFeed {
  readonly #options: EvidenceFeedOptions
  /** Undefined before the first connect. */
  #position: Position | undefined
  /** When the edge last knew that it had missed no message. */
  #currentAt = -Infinity
  #reading: Promise<void> | undefined
  /** Live messages that arrived during a read. Undefined: too many. */
  #early: Stored[] | undefined = []
  /** All connections were distrusted after a failed read. This is done once, because repeating it would close newer connections. */
  #hasDistrustedAll = false
  #soon: Timer | undefined
  #retry: Timer | undefined
  readonly #counts = new Map<string, number>()
  #countedSince = -Infinity
  #flood: Timer | undefined

  constructor(options: EvidenceFeedOptions) {
    this.#options = options
  }

  /** Subscribes for the life of this connection to NATS. */
  subscribe({ nats }: Pick<NatsHandles, 'nats'>): void {
    nats.subscribe(subjects.storedEvidenceOfAll, {
      callback: (error, received) => {
        const message = error ? undefined : storedIn(received)
        if (message) this.#receive(message)
      },
    })
  }

  /** Call it after each connect. Resolves when missed messages are applied, or when all connections are distrusted. */
  async connected(): Promise<void> {
    // A read that began earlier may have failed with the old connection.
    await this.#reading
    this.#hasDistrustedAll = false
    await this.catchUp()
  }

  /** Reads missed messages. Never rejects. */
  catchUp(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined
      const early = this.#early
      this.#early = []
      if (!early) void this.catchUp()
      else for (const message of early) if (message.sequence > this.#sequence) this.#receive(message)
    })
    return this.#reading
  }

  /** Delayed, so that messages out of order and repeated messages do not each cause a read. */
  #catchUpSoon(): void {
    this.#soon ??= runtime
      .after(gapMs, () => {
        this.#soon = undefined
        void this.catchUp()
      })
      .unref()
  }

  stop(): void {
    runtime.cancel(this.#soon)
    runtime.cancel(this.#retry)
    runtime.cancel(this.#flood)
  }

  get #sequence(): number {
    return this.#position?.sequence ?? 0
  }

  #receive(message: Stored): void {
    if (this.#reading) {
      if (this.#early && this.#early.push(message) > readMax) this.#early = undefined
      return
    }
    const now = this.#options.now()
    if (!this.#position || message.sequence !== this.#sequence + 1) {
      // While the stream cannot be read, live messages are applied as they arrive. They may be applied again later.
      if (this.#hasDistrustedAll && !this.#isFlood(message, now)) this.#apply(message)
      // If the stream was created again, a later message or the next regular read detects it.
      else if (message.sequence <= this.#sequence && now - this.#currentAt < repeatedMs) return
      return this.#catchUpSoon()
    }
    this.#position = { sequence: message.sequence, data: message.data, storedSince: now }
    this.#currentAt = now
    if (!this.#isFlood(message, now)) this.#apply(message)
  }

  async #read(): Promise<void> {
    runtime.cancel(this.#retry)
    const startedAt = this.#options.now()
    try {
      const missed = await this.#missed(startedAt)
      const before = this.#currentAt
      const last = missed.kind === 'some' ? missed.messages.at(-1) : missed.last
      if (last) this.#position = { ...last, storedSince: missed.kind === 'some' ? before : -Infinity }
      this.#position ??= { sequence: 0, data: new Uint8Array(), storedSince: -Infinity }
      this.#currentAt = startedAt
      this.#hasDistrustedAll = false
      if (missed.kind === 'all') this.#distrustAll(missed.reason)
      else for (const message of missed.messages) this.#apply(message)
    } catch (error) {
      if (!this.#hasDistrustedAll) this.#distrustAll(`the stream cannot be read: ${reasonOf(error)}`)
      this.#hasDistrustedAll = true
      this.#retry = runtime
        .after(retryMs, () => {
          if (this.#options.fleet()) void this.catchUp()
        })
        .unref()
    }
  }

  /** The messages after the known position. `all`: they cannot be determined with certainty. */
  async #missed(now: number): Promise<Missed> {
    const fleet = this.#fleet()
    const last = await readMessage(fleet, { last_by_subj: subjects.evidenceOfAll })
    const all = (reason: string) => ({ kind: 'all', last, reason }) as const
    const known = this.#position
    if (!known) return all('this edge has just started')
    if (now - this.#currentAt > certainMs) return all('this edge was disconnected for too long')
    const mayHaveExpired = now - known.storedSince > certainMs
    if (!last) return mayHaveExpired ? { kind: 'some', messages: [] } : all('the stream is empty')
    const count = last.sequence - known.sequence
    if (count < 0) return all('the stream was created again')
    if (count > readMax) return all('too many messages were missed')
    // A stored message with a status line of an edge can look like a missing answer of JetStream.
    const read = (sequence: number) =>
      readMessage(fleet, { seq: sequence }).catch(() => 'unreadable' as const)
    const messages: Stored[] = []
    for (let from = known.sequence + 1; from <= last.sequence; from += readsAtOnce) {
      const size = Math.min(readsAtOnce, last.sequence - from + 1)
      const reads = Array.from({ length: size }, (_, index) => read(from + index))
      for (const message of await Promise.all(reads)) {
        if (!message) return all('messages are missing in the stream')
        if (message === 'unreadable') return all('a message cannot be read')
        messages.push(message)
      }
    }
    if (known.sequence > 0) {
      const present = await read(known.sequence)
      if (present === 'unreadable') return all('a message cannot be read')
      const isOther = present ? Buffer.compare(present.data, known.data) !== 0 : !mayHaveExpired
      if (isOther) return all('the stream was created again')
    }
    return { kind: 'some', messages }
  }

  #fleet(): NatsHandles {
    const fleet = this.#options.fleet()
    if (!fleet) throw new Error('NATS is down')
    return fleet
  }

  #apply({ data, subject }: Stored): void {
    const { boot, distrust, received, log } = this.#options
    const decoded = decode(evidenceSchema, data)
    if (!decoded.ok) {
      log.warn('evidence_unreadable', { subject, reason: decoded.reason })
      return this.#distrustAll(`a message on ${subject} is unreadable`)
    }
    const { changes, isIncomplete, ...sender } = decoded.value
    if (sender.boot === boot) return
    received.value += changes.length
    if (isIncomplete) this.#distrustAll(`${sender.edge} reported changes without all users`)
    else distrust(changes.map(({ user }) => user))
  }

  /** Messages beyond the rate are ignored. At the end of the second, all connections are distrusted instead. */
  #isFlood({ subject }: Stored, now: number): boolean {
    if (now - this.#countedSince > 1000) {
      this.#countedSince = now
      this.#counts.clear()
    }
    const count = (this.#counts.get(subject) ?? 0) + 1
    this.#counts.set(subject, count)
    if (count <= perSecondMax) return false
    this.#flood ??= runtime
      .after(this.#countedSince + 1000 - now, () => {
        this.#flood = undefined
        this.#distrustAll(`there are too many messages on ${subject}`)
      })
      .unref()
    return true
  }

  #distrustAll(reason: string): void {
    this.#options.missed.value++
    this.#options.log.info('evidence_missed', { reason })
    this.#options.distrustAll()
  }
}

/**
 * Undefined: the stream has no such message. The function of the library adds the subject to the subject of the request, which
 * must not have a wildcard.
 */
async function readMessage(
  { nats }: NatsHandles,
  which: { seq: number } | { last_by_subj: string },
): Promise<Stored | undefined> {
  const reply = await nats.request(evidenceRead, encode(which), { timeout: readTimeoutMs })
  const message = storedIn(reply)
  if (message) return message
  const { headers } = reply
  if (headers?.code === 404) return undefined
  throw new Error(`NATS answered ${headers?.code} ${headers?.description}`)
}

/**
 * A message that the stream has stored. JetStream keeps the headers and the status line of the sender and adds its own
 * headers after them, so only the last value of each is JetStream's. A reply of JetStream that an edge has directed to the
 * subject of live messages may come from another stream: undefined.
 */
function storedIn({ headers, data }: Received): Stored | undefined {
  if (headers?.last('Nats-Stream') !== streams.evidence) return undefined
  const sequence = Number(headers.last('Nats-Sequence'))
  return sequence > 0 ? { sequence, data, subject: headers.last('Nats-Subject') } : undefined
}
