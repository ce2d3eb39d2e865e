/**
 * Tells the other edges what this one learned about the secrets of users. What NATS has not acknowledged waits here, one
 * entry per user. A file keeps it for the next run.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsHandles } from '@imapfleet/nats'
import { reasonOf, type Counter, type Log } from '@imapfleet/observe'
import {
  encode,
  evidenceBytesMax,
  evidencePauseMs,
  evidenceSchema,
  evidenceUsersMax,
  parseJson,
  streams,
  subjects,
  wireVersion,
  type EvidenceMessage,
} from '@imapfleet/protocol'
import type { Sender } from './nats.ts'
import { replaceStateFile } from './state-file.ts'

export interface EvidenceSenderOptions {
  sender: Sender
  stateDir: string
  /** Undefined while NATS is down. */
  fleet: () => NatsHandles | undefined
  /** Counts users that other edges were told of. */
  sent: Counter
  /** Counts overflows. */
  overflowed: Counter
  log: Log
  /** Users that may wait. Beyond it, the other edges are told that every user is meant. */
  max?: number
}

type News = EvidenceMessage['news'][number]

const ackMs = 5_000
const retryMs = 1_000
/** Leaves room in a message for the envelope around the news. */
const newsBytesMax = evidenceBytesMax - 1024
const savedSchema = evidenceSchema.pick({ news: true, isIncomplete: true })

export class EvidenceSender {
  readonly #options: EvidenceSenderOptions
  readonly #file: string
  readonly #max: number
  /** By user. */
  readonly #waiting = new Map<string, News>()
  /** Times that users were forgotten, and how many of these the other edges were told of. */
  #overflows = 0
  #overflowsTold = 0
  #sequence = 0
  #sending: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #isSaved = false
  /** Of the last message; from performance.now(). */
  #sentAt = -Infinity
  #hasFailed = false

  constructor(options: EvidenceSenderOptions) {
    this.#options = options
    this.#file = join(options.stateDir, 'evidence.json')
    this.#max = options.max ?? 20_000
  }

  /** Users that wait. */
  get size(): number {
    return this.#waiting.size
  }

  get isEmpty(): boolean {
    return this.size === 0 && !this.#isIncomplete
  }

  get #isIncomplete(): boolean {
    return this.#overflows > this.#overflowsTold
  }

  /** Sends it soon. */
  add(news: News): void {
    this.#waiting.set(news.user, news)
    if (this.size > this.#max) this.#forgetUsers()
    this.#sendLater()
  }

  #forgetUsers(): void {
    this.#options.overflowed.value++
    this.#waiting.clear()
    this.#overflows++
  }

  /** Resolves when nothing waits, NATS is down, or a message was not acknowledged. Never rejects. */
  send(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#sendOne().finally(() => {
      this.#sending = undefined
      if (!this.isEmpty && this.#options.fleet()) this.#sendLater()
    })
    return this.#sending
  }

  /** To be called at a stop: sends all without pauses. Never rejects. */
  async flush(): Promise<void> {
    clearTimeout(this.#timer)
    await this.#sending
    while (!this.isEmpty && (await this.#sendNext()));
    clearTimeout(this.#timer)
  }

  /** Adds what the previous run left behind. */
  load(): void {
    try {
      const saved = savedSchema.safeParse(parseJson(readFileSync(this.#file, 'utf8')))
      for (const news of saved.data?.news ?? []) this.#waiting.set(news.user, news)
      // An unreadable file means that something is missing too.
      if (saved.data?.isIncomplete ?? true) this.#overflows++
      this.#isSaved = true
    } catch {
      // There is none.
    }
  }

  /** Writes what waits to the file, for the next run. Throws if the write fails. */
  save(): void {
    if (this.isEmpty) return
    const news = [...this.#waiting.values()]
    const saved =
      news.length <= evidenceUsersMax
        ? { news, isIncomplete: this.#isIncomplete }
        : { news: [], isIncomplete: true }
    replaceStateFile(this.#file, JSON.stringify(saved))
  }

  #sendLater(): void {
    if (this.#sending) return
    const pauseMs = this.#sentAt + (this.#hasFailed ? retryMs : evidencePauseMs) - performance.now()
    this.#timer ??= setTimeout(() => void this.send(), Math.max(0, pauseMs)).unref()
  }

  async #sendOne(): Promise<void> {
    if (this.isEmpty) return
    this.#hasFailed = !(await this.#sendNext())
    if (this.#hasFailed) this.#noteUnsent()
  }

  /** False: NATS is down, or did not acknowledge it. */
  async #sendNext(): Promise<boolean> {
    const { fleet, sender, sent, log } = this.#options
    const up = fleet()
    if (!up) return false
    this.#sentAt = performance.now()
    const batch = this.#batch()
    const overflows = this.#overflows
    const message: EvidenceMessage = {
      v: wireVersion,
      ...sender,
      at: Date.now(),
      sequence: ++this.#sequence,
      news: batch.map(([, news]) => news),
      isIncomplete: this.#isIncomplete,
    }
    try {
      await up.jetstream.publish(subjects.evidence(sender), encode(message), {
        expect: { streamName: streams.evidence },
        timeout: ackMs,
      })
    } catch (error) {
      log.debug('evidence_unsent', { waiting: this.size, reason: reasonOf(error) })
      return false
    }
    // What was added meanwhile must be sent too: it may concern connections that were opened since.
    for (const [key, news] of batch) if (this.#waiting.get(key) === news) this.#waiting.delete(key)
    this.#overflowsTold = overflows
    sent.value += batch.length
    if (this.isEmpty) this.#removeFile()
    return true
  }

  #batch(): [string, News][] {
    const batch: [string, News][] = []
    let bytes = 0
    for (const entry of this.#waiting) {
      bytes += Buffer.byteLength(JSON.stringify(entry[1])) + 1
      if (batch.length === evidenceUsersMax || bytes > newsBytesMax) break
      batch.push(entry)
    }
    return batch
  }

  /** So that the next run tells the other edges, if this one is killed before NATS is back. */
  #noteUnsent(): void {
    if (this.#isSaved) return
    try {
      replaceStateFile(this.#file, JSON.stringify({ news: [], isIncomplete: true }))
      this.#isSaved = true
    } catch (error) {
      this.#options.log.warn('evidence_unsaved', { reason: reasonOf(error) })
    }
  }

  #removeFile(): void {
    if (this.#isSaved) rmSync(this.#file, { force: true })
    this.#isSaved = false
  }
}
