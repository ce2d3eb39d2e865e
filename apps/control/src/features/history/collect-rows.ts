/**
 * Collects the rows of a history. Due intervals are computed from reports in the same way as by the rollup, so that an
 * answer does not depend on whether the rollup has run.
 */
import type { EdgeMetricName } from '@imapfleet/observe'
import type { Sql } from '../../platform/db/sql.ts'
import { readReadings } from './queries.ts'
import { readDue, readReportsSince, readRollups, type RollupFilter } from './rollup-queries.ts'
import { historyRows, historyRowsOfRegions, rowsOver, type HistoryRow, type Stretch } from './rows.ts'
import { findRequestedSeries } from './series.ts'
import { lengthMs as lengthOf, startOf, type Resolution } from './window.ts'

export interface RowQuery extends RollupFilter {
  resolution: Resolution
  stepMs: number
  names: readonly EdgeMetricName[]
}

/** If more intervals are due, older ones are read as they were last rolled up. */
const minutesMax = 60
const hoursMax = { region: 24, edge: 2 } as const

const toMinute = <T extends { at: number }>(each: T): T => ({ ...each, at: startOf(each.at, lengthOf['1m']) })
const toHour = <T extends { at: number }>(each: T): T => ({ ...each, at: startOf(each.at, lengthOf['1h']) })

/** `sql` must see one state of the database throughout. */
export async function collectRows(sql: Sql, asked: RowQuery): Promise<HistoryRow[]> {
  const { resolution, from, to, by } = asked
  const wanted = await findRequestedSeries(sql, asked.names)
  const since = await readReportsSince(sql)
  if (resolution === 'reports') return await worked(asked, { from, to, lengthMs: asked.stepMs })

  const due = await readDue(sql, startOf(from, lengthOf['1h']), to)
  const minutes = new DueTimes(
    due.filter((each) => each.resolution === '1m'),
    lengthOf['1m'],
    minutesMax,
    to,
  )
  if (resolution !== '1h') return await rolledUp(resolution, asked)

  // An hour is due as soon as one of its minutes is.
  const hours = new DueTimes(due.map(toHour), lengthOf['1h'], hoursMax[by], to)
  const finished = await readRollups(sql, '1h', asked, wanted)
  const unfinished = await Promise.all(
    hours.stretchesWithin(from, to).map(async (stretch) => await rolledUp('1m', { ...asked, ...stretch })),
  )
  return [
    ...finished.filter((row) => !hours.has(row)),
    ...rowsOver(unfinished.flat(), (at) => startOf(at, lengthOf['1h'])).filter((row) => hours.has(row)),
  ]

  async function rolledUp(length: '10s' | '1m', filter: RollupFilter): Promise<HistoryRow[]> {
    const kept = await readRollups(sql, length, filter, wanted)
    const fresh = await Promise.all(
      minutes
        .stretchesWithin(filter.from, filter.to)
        .map(
          async (stretch) =>
            await worked({ ...filter, ...stretch }, { ...stretch, lengthMs: lengthOf[length] }),
        ),
    )
    return [
      ...kept.filter((row) => !minutes.has(toMinute(row))),
      ...fresh.flat().filter((row) => minutes.has(toMinute(row))),
    ]
  }

  async function worked(filter: RollupFilter, stretch: Stretch): Promise<HistoryRow[]> {
    const readings = await readReadings(sql, filter, wanted)
    return by === 'edge'
      ? historyRows(readings, stretch, since)
      : historyRowsOfRegions(readings, stretch, since)
  }
}

/** The due minutes (or hours) of each region, as a set, and as ranges that one query can read. */
interface DueTime {
  region: string
  at: number
}

class DueTimes {
  readonly #times: ReadonlySet<number>
  readonly #due: ReadonlySet<string>
  readonly #lengthMs: number
  /** The interval that contains the end: its rollup has more data than requested. */
  readonly #cut: number | undefined

  /** Only the newest `timesMax` times, however many regions are due in each, and in each region the one that `to` cuts. */
  constructor(due: readonly DueTime[], lengthMs: number, timesMax: number, to: number) {
    const times = [...new Set(due.map(({ at }) => at))].toSorted((a, b) => b - a).slice(0, timesMax)
    this.#cut = to % lengthMs === 0 ? undefined : startOf(to, lengthMs)
    this.#times = new Set([...times, ...(this.#cut === undefined ? [] : [this.#cut])])
    this.#due = new Set(due.filter(({ at }) => this.#times.has(at)).map(nameOf))
    this.#lengthMs = lengthMs
  }

  has(due: DueTime): boolean {
    return due.at === this.#cut || this.#due.has(nameOf(due))
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
