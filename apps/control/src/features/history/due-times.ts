/** Which minutes (or hours) of which regions are due, as a set, and as ranges that can be read with one query. */

export interface DueTime {
  region: string
  at: number
}

export class DueTimes {
  readonly #times: ReadonlySet<number>
  readonly #due: ReadonlySet<string>
  readonly #lengthMs: number

  /** Only the newest `timesMax` times, however many regions are due in each. */
  constructor(due: readonly DueTime[], lengthMs: number, timesMax: number) {
    const times = [...new Set(due.map(({ at }) => at))].toSorted((a, b) => b - a).slice(0, timesMax)
    this.#times = new Set(times)
    this.#due = new Set(due.filter(({ at }) => this.#times.has(at)).map(nameOf))
    this.#lengthMs = lengthMs
  }

  has(due: DueTime): boolean {
    return this.#due.has(nameOf(due))
  }

  /** Ranges of consecutive times, oldest first, within this time. */
  stretchesWithin(from: number, to: number): { from: number; to: number }[] {
    const runs: { from: number; to: number }[] = []
    for (const at of [...this.#times].toSorted((a, b) => a - b)) {
      const last = runs.at(-1)
      if (last?.to === at) last.to += this.#lengthMs
      else runs.push({ from: at, to: at + this.#lengthMs })
    }
    return runs
      .map((run) => ({ from: Math.max(run.from, from), to: Math.min(run.to, to) }))
      .filter((run) => run.from < run.to)
  }
}

const nameOf = ({ region, at }: DueTime): string => `${region} ${at}`
