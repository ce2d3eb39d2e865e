/** Reports that the fleet has not acknowledged yet. A file keeps them during a restart of the edge. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsHandles, SendRefusal } from '@imapfleet/nats'
import type { Counter, Log } from '@imapfleet/observe'
import { parseJson, reportId, reportSchema, streams, subjects, type Report } from '@imapfleet/protocol'
import { SendQueue } from './send-queue.ts'
import { leftFile, replaceStateFile, withLeftFiles } from './state-directory.ts'

export interface OutboxOptions {
  stateDir: string
  /** Number of reports. Beyond it, the oldest is dropped. */
  max: number
  dropped: Counter
  refused: (why: SendRefusal) => void
  fleet: () => NatsHandles | undefined
  log: Log
}

export class Outbox {
  #file: string
  readonly #queue: SendQueue<Report>

  constructor({ stateDir, max, dropped, refused, fleet, log }: OutboxOptions) {
    this.#file = join(stateDir, 'outbox.jsonl')
    this.#queue = new SendQueue({
      max,
      fleet,
      stream: streams.reports,
      subjectOf: subjects.report,
      idOf: reportId,
      dropped: () => dropped.value++,
      refused,
      failed: (reason) => log.debug('report_unsent', { waiting: this.size, reason }),
    })
  }

  get size(): number {
    return this.#queue.messages.length
  }

  /** Why NATS refuses reports; undefined if it does not. */
  get refusal(): SendRefusal | undefined {
    return this.#queue.refusal
  }

  add(report: Report): void {
    this.#queue.add(report)
  }

  /** Never rejects. Reports that are not acknowledged stay. */
  send(): Promise<void> {
    return this.#queue.send()
  }

  /** Adds the reports that the previous run saved. Unreadable lines are skipped, because counters are cumulative. */
  load(): void {
    for (const file of withLeftFiles(this.#file)) this.#loadFile(file)
  }

  #loadFile(file: string): void {
    let text: string
    try {
      text = readFileSync(file, 'utf8')
      // Removed before they are sent, so that not every start sends them after a crash. A repeated report is stored once.
      rmSync(file)
    } catch {
      return
    }
    for (const line of text.split('\n')) {
      const parsed = reportSchema.safeParse(parseJson(line))
      if (parsed.success) this.add(parsed.data)
    }
  }

  /** Another process of this edge uses the file from now on. This one saves to a file of its own. */
  leave(boot: string): void {
    this.#file = leftFile(this.#file, boot)
  }

  /** Writes the remaining reports to the file, for the next run. Throws if the write fails. */
  save(): void {
    if (this.size === 0) return
    replaceStateFile(this.#file, this.#queue.messages.map((report) => `${JSON.stringify(report)}\n`).join(''))
  }
}
