/** Reports that the fleet has not acknowledged, oldest first; bounded, and kept on disk over a restart. */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Counter } from '@imapfleet/observe'
import { parseJson, reportSchema, type Report } from '@imapfleet/protocol'

export class Outbox {
  readonly #file: string
  readonly #max: number
  /** How many were lost because there was no room. */
  readonly #dropped: Counter
  #reports: Report[] = []

  constructor(stateDir: string, max: number, dropped: Counter) {
    this.#file = join(stateDir, 'outbox.jsonl')
    this.#max = max
    this.#dropped = dropped
  }

  get size(): number {
    return this.#reports.length
  }

  add(report: Report): void {
    this.#reports.push(report)
    if (this.#reports.length <= this.#max) return
    this.#reports.shift()
    this.#dropped.value++
  }

  first(): Report | undefined {
    return this.#reports[0]
  }

  /** The fleet has it. */
  remove(report: Report): void {
    const index = this.#reports.indexOf(report)
    if (index >= 0) this.#reports.splice(index, 1)
  }

  /** What an earlier run has left; lines that cannot be read are left out, since the counters are cumulative. */
  load(): void {
    let text: string
    try {
      text = readFileSync(this.#file, 'utf8')
      // At once: what is sent twice is recorded once, but what stays here would be sent at every start.
      rmSync(this.#file)
    } catch {
      return
    }
    for (const line of text.split('\n')) {
      const parsed = reportSchema.safeParse(parseJson(line))
      if (parsed.success) this.add(parsed.data)
    }
  }

  /** Writes what is left, for the next run; nothing is written where nothing is left. Throws what the disk says. */
  save(): void {
    if (this.#reports.length === 0) return
    mkdirSync(dirname(this.#file), { recursive: true })
    writeFileSync(
      `${this.#file}.new`,
      this.#reports.map((report) => `${JSON.stringify(report)}\n`).join(''),
      { mode: 0o600 },
    )
    renameSync(`${this.#file}.new`, this.#file)
  }
}
