/** Reports that control has not stored yet. A file keeps them during a restart of the edge. */
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { NatsHandles, SendRefusal } from '@imapfleet/nats'
import type { Counter, Log } from '@imapfleet/observe'
import {
  parseJson,
  reportId,
  reportSchema,
  reportsOfEdgeMax,
  streams,
  subjects,
  type Report,
  type StoredReports,
} from '@imapfleet/protocol'
import { runtime } from '../runtime.ts'
import { SendQueue } from './send-queue.ts'
import { SentReports, type SentReport } from './sent-reports.ts'
import { leftFile, replaceStateFile, withLeftFiles } from './state-directory.ts'

export interface OutboxOptions {
  stateDir: string
  /** Maximum number of reports. Beyond it, the oldest is dropped. */
  max: number
  dropped: Counter
  /** Counts reports that are sent again. */
  resent: Counter
  refused: (why: SendRefusal) => void
  fleet: () => NatsHandles | undefined
  log: Log
  /** Monotonic, in milliseconds. */
  now?: () => number
}

export class Outbox {
  #file: string
  readonly #queue: SendQueue<SentReport>
  readonly #sent: SentReports
  readonly #options: OutboxOptions

  constructor(options: OutboxOptions) {
    const { stateDir, max, dropped, refused, fleet, log, now = () => runtime.now() } = options
    this.#options = options
    // More than the stream keeps for one edge.
    this.#sent = new SentReports(2 * reportsOfEdgeMax, now)
    this.#file = join(stateDir, 'outbox.jsonl')
    this.#queue = new SendQueue({
      max,
      fleet,
      stream: streams.reports,
      subjectOf: ({ report }) => subjects.report(report),
      bodyOf: ({ report }) => report,
      // Another id for each repetition, because JetStream would discard a report with the same id.
      idOf: ({ report, repeats }) => reportId(report) + (repeats === 0 ? '' : `/${repeats}`),
      dropped: () => dropped.value++,
      sent: (each) => this.#sent.add(each),
      refused,
      failed: (reason) => log.debug('report_unsent', { waiting: this.size, reason }),
    })
  }

  get size(): number {
    return this.#queue.messages.length
  }

  /** Why NATS refuses reports. Undefined: it does not refuse them. */
  get refusal(): SendRefusal | undefined {
    return this.#queue.refusal
  }

  add(report: Report): void {
    this.#queue.add({ report, repeats: 0 })
    this.#repeatLate()
  }

  /** Control has stored these reports of this edge, or refused them permanently. */
  confirm(edge: string, { boot, sequences }: StoredReports): void {
    this.#sent.confirm(sequences.map((sequence) => reportId({ edge, boot, sequence })))
  }

  #repeatLate(): void {
    const { again, lost } = this.#sent.takeLate()
    const { dropped, resent, log } = this.#options
    dropped.value += lost
    resent.value += again.length
    if (again.length + lost > 0) log.warn('reports_not_stored', { resent: again.length, lost })
    for (const each of again) this.#queue.add(each)
  }

  /** Never rejects. Reports that NATS does not acknowledge stay. */
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
      // Removed before the reports are sent, so that they are not sent at each start after a crash.
      rmSync(file)
    } catch {
      return
    }
    for (const line of text.split('\n')) {
      const parsed = reportSchema.safeParse(parseJson(line))
      if (parsed.success) this.add(parsed.data)
    }
  }

  /** A new process of this edge uses the file. This process saves to a separate file. */
  leave(boot: string): void {
    this.#file = leftFile(this.#file, boot)
  }

  /** Writes the remaining reports to the file, for the next run. Throws if the write fails. */
  save(): void {
    const kept = [...this.#sent.reports, ...this.#queue.messages.map(({ report }) => report)]
    if (kept.length === 0) return
    replaceStateFile(this.#file, kept.map((report) => `${JSON.stringify(report)}\n`).join(''))
  }
}
