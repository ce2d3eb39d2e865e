/**
 * Reports changes of secrets to the other edges. A change waits here until NATS has acknowledged it, one entry per user. A
 * file keeps waiting changes for the next run.
 */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { sendRefusalIn, type NatsHandles, type SendRefusal } from '@imapfleet/nats'
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
import { runtime, type Timer } from '../runtime.ts'
import type { Sender } from './nats.ts'
import { leftFile, replaceStateFile, withLeftFiles } from './state-directory.ts'

export interface EvidenceSenderOptions {
  sender: Sender
  stateDir: string
  /** Undefined while NATS is down. */
  fleet: () => NatsHandles | undefined
  /** Counts changes that were sent. */
  sent: Counter
  /** Counts overflows. */
  overflowed: Counter
  refused: (why: SendRefusal) => void
  log: Log
  /** Limit on waiting users. With more, a message tells the other edges to treat all users as changed. */
  max?: number
}

type Change = EvidenceMessage['changes'][number]

const ackMs = 5_000
const retryMs = 1_000
/** Limit without the envelope of the message. */
const changesBytesMax = evidenceBytesMax - 1024
const savedSchema = evidenceSchema.pick({ changes: true, isIncomplete: true })

export class EvidenceSender {
  readonly #options: EvidenceSenderOptions
  #file: string
  /** Files that were loaded. They are removed when their changes were sent. */
  #loaded: readonly string[] = []
  readonly #max: number
  /** By user. */
  readonly #waiting = new Map<string, Change>()
  /** How often waiting users were removed, and how many of these times were reported to the other edges. */
  #overflows = 0
  #overflowsSent = 0
  #sequence = 0
  #sending: Promise<void> | undefined
  #timer: Timer | undefined
  #isSaved = false
  /** When the last message was sent; from runtime.now(). */
  #sentAt = -Infinity
  #hasFailed = false
  #refusal: SendRefusal | undefined

  constructor(options: EvidenceSenderOptions) {
    this.#options = options
    this.#file = join(options.stateDir, 'evidence.json')
    this.#max = options.max ?? 20_000
  }

  /** Number of waiting users. */
  get size(): number {
    return this.#waiting.size
  }

  /** Why NATS refuses the messages. Undefined: it does not refuse them. */
  get refusal(): SendRefusal | undefined {
    return this.#refusal
  }

  get isEmpty(): boolean {
    return this.size === 0 && !this.#isIncomplete
  }

  get #isIncomplete(): boolean {
    return this.#overflows > this.#overflowsSent
  }

  /** Adds a change, which is sent after a short pause. */
  add(change: Change): void {
    this.#waiting.set(change.user, change)
    if (this.size > this.#max) this.#removeUsers()
    this.#sendLater()
  }

  #removeUsers(): void {
    this.#options.overflowed.value++
    this.#waiting.clear()
    this.#overflows++
  }

  /** Resolves when nothing waits, NATS is down, or a message was not acknowledged. Never rejects. */
  send(): Promise<void> {
    runtime.cancel(this.#timer)
    this.#timer = undefined
    this.#sending ??= this.#sendOne().finally(() => {
      this.#sending = undefined
      if (!this.isEmpty && this.#options.fleet()) this.#sendLater()
    })
    return this.#sending
  }

  /** Call it at a stop. Sends all changes without pauses. Never rejects. */
  async flush(): Promise<void> {
    runtime.cancel(this.#timer)
    await this.#sending
    while (!this.isEmpty && (await this.#sendNext()));
    runtime.cancel(this.#timer)
  }

  /** Adds the changes that the previous run did not send. */
  load(): void {
    this.#loaded = withLeftFiles(this.#file)
    for (const file of this.#loaded) this.#loadFile(file)
  }

  #loadFile(file: string): void {
    try {
      const saved = savedSchema.safeParse(parseJson(readFileSync(file, 'utf8')))
      for (const change of saved.data?.changes ?? []) this.#waiting.set(change.user, change)
      // If the file is unreadable, changes are missing as well.
      if (saved.data?.isIncomplete ?? true) this.#overflows++
      this.#isSaved = true
    } catch {
      // The file does not exist.
    }
  }

  /** A new process of this edge uses the file. This process saves to a separate file. */
  leave(): void {
    this.#file = leftFile(this.#file, this.#options.sender.boot)
    this.#isSaved = false
    this.#loaded = []
  }

  /** Writes the waiting changes to the file, for the next run. Throws if the write fails. */
  save(): void {
    if (this.isEmpty) return
    const changes = [...this.#waiting.values()]
    const saved =
      changes.length <= evidenceUsersMax
        ? { changes, isIncomplete: this.#isIncomplete }
        : { changes: [], isIncomplete: true }
    replaceStateFile(this.#file, JSON.stringify(saved))
  }

  #sendLater(): void {
    if (this.#sending) return
    const pauseMs = this.#sentAt + (this.#hasFailed ? retryMs : evidencePauseMs) - runtime.now()
    this.#timer ??= runtime.after(Math.max(0, pauseMs), () => void this.send()).unref()
  }

  async #sendOne(): Promise<void> {
    if (this.isEmpty) return
    this.#hasFailed = !(await this.#sendNext())
    if (this.#hasFailed) this.#noteUnsent()
  }

  /** False: NATS is down, or did not acknowledge the message. */
  async #sendNext(): Promise<boolean> {
    const { fleet, sender, sent, refused, log } = this.#options
    const up = fleet()
    if (!up) return false
    this.#sentAt = runtime.now()
    const batch = this.#batch()
    const overflows = this.#overflows
    const message: EvidenceMessage = {
      v: wireVersion,
      ...sender,
      at: runtime.wall(),
      sequence: ++this.#sequence,
      changes: batch.map(([, change]) => change),
      isIncomplete: this.#isIncomplete,
    }
    try {
      await up.jetstream.publish(subjects.evidence(sender), encode(message), {
        expect: { streamName: streams.evidence },
        timeout: ackMs,
      })
    } catch (error) {
      log.debug('evidence_unsent', { waiting: this.size, reason: reasonOf(error) })
      this.#refusal = sendRefusalIn(error) ?? this.#refusal
      if (this.#refusal !== undefined) refused(this.#refusal)
      return false
    }
    this.#refusal = undefined
    // A change that was added in the meantime must also be sent, because it may affect newer connections.
    for (const [key, change] of batch) if (this.#waiting.get(key) === change) this.#waiting.delete(key)
    this.#overflowsSent = overflows
    sent.value += batch.length
    if (this.isEmpty) this.#removeFile()
    return true
  }

  #batch(): [string, Change][] {
    const batch: [string, Change][] = []
    let bytes = 0
    for (const entry of this.#waiting) {
      bytes += Buffer.byteLength(JSON.stringify(entry[1])) + 1
      if (batch.length === evidenceUsersMax || bytes > changesBytesMax) break
      batch.push(entry)
    }
    return batch
  }

  /** Writes the file so that the next run reports the changes if this one is killed before NATS is reachable. */
  #noteUnsent(): void {
    if (this.#isSaved) return
    try {
      replaceStateFile(this.#file, JSON.stringify({ changes: [], isIncomplete: true }))
      this.#isSaved = true
    } catch (error) {
      this.#options.log.warn('evidence_unsaved', { reason: reasonOf(error) })
    }
  }

  #removeFile(): void {
    if (this.#isSaved) for (const file of [this.#file, ...this.#loaded]) rmSync(file, { force: true })
    this.#loaded = []
    this.#isSaved = false
  }
}
