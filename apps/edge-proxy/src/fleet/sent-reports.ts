/**
 * Reports that NATS has acknowledged and control has not stored yet. A nats-server that is killed may lose some of them, so
 * an edge keeps them until control confirms that they are in Postgres, and sends skipped reports again.
 */
import { reportId, type Report } from '@imapfleet/protocol'

export interface SentReport {
  report: Report
  /** How often it was sent again. */
  repeats: number
}

interface Kept extends SentReport {
  /** When a later report was stored before this one. Undefined: none was. */
  passedAt: number | undefined
}

/** Time limit for control to store a report that is still in the stream. */
const lateMs = 30_000
const repeatsMax = 2

export class SentReports {
  readonly #max: number
  readonly #now: () => number
  readonly #kept = new Map<string, Kept>()
  #isConfirmed = false

  /**
   * @param max maximum number of reports. Beyond it, the oldest is forgotten, for example if control has an earlier version, which
   * confirms none
   * @param now monotonic, in milliseconds
   */
  constructor(max: number, now: () => number) {
    this.#max = max
    this.#now = now
  }

  /** Oldest first. Empty if control does not confirm reports. */
  get reports(): Report[] {
    return this.#isConfirmed ? [...this.#kept.values()].map(({ report }) => report) : []
  }

  /** NATS has acknowledged the report. */
  add(sent: SentReport): void {
    this.#kept.set(reportId(sent.report), { ...sent, passedAt: undefined })
    const [oldest] = this.#kept.keys()
    if (this.#kept.size > this.#max && oldest !== undefined) this.#kept.delete(oldest)
  }

  /** Control has stored these reports of this boot, or refused them permanently. */
  confirm(ids: readonly string[]): void {
    this.#isConfirmed = true
    const stored = new Set(ids)
    let passed: Kept[] = []
    for (const [id, kept] of this.#kept) {
      if (!stored.has(id)) {
        passed.push(kept)
        continue
      }
      this.#kept.delete(id)
      for (const earlier of passed) earlier.passedAt ??= this.#now()
      passed = []
    }
  }

  /** Removes and returns reports that control has skipped for too long. `lost`: number of reports that are not sent again. */
  takeLate(): { again: SentReport[]; lost: number } {
    const late = [...this.#kept].filter(
      ([, { passedAt }]) => passedAt !== undefined && this.#now() - passedAt >= lateMs,
    )
    for (const [id] of late) this.#kept.delete(id)
    const again = late.flatMap(([, { report, repeats }]) =>
      repeats < repeatsMax ? [{ report, repeats: repeats + 1 }] : [],
    )
    return { again, lost: late.length - again.length }
  }
}
