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
  /** Number of reports. Beyond it, the oldest is dropped. */
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
    // More than the stream holds of one edge.
    this.#sent = new SentReports(2 * reportsOfEdgeMax, now)
    this.#file = join(stateDir, 'outbox.jsonl')
    this.#queue = new SendQueue({
      max,
      fleet,
      stream: streams.reports,
      subjectOf: ({ report }) => subjects.report(report),
      bodyOf: ({ report }) => report,
      // JetStream would take one that is sent again for a repetition.
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

  /** Why NATS refuses reports; undefined if it does not. */
  get refusal(): SendRefusal | undefined {
    return this.#queue.refusal
  }

  add(report: Report): void {
    this.#queue.add({ report, repeats: 0 })
    this.#repeatLate()
  }

  /** Control has stored these reports of this edge, or refused them for good. */
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
    const kept = [...this.#sent.reports, ...this.#queue.messages.map(({ report }) => report)]
    if (kept.length === 0) return
    replaceStateFile(this.#file, kept.map((report) => `${JSON.stringify(report)}\n`).join(''))
  }
}
