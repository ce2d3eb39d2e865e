/**
 * Collects the rows of a history. Intervals that are due are computed from reports in the way the rollup will do it,
 * so that an answer does not depend on whether the rollup has run.
 */
import type { EdgeMetricName } from '@imapfleet/observe'
import { readReadings } from './readings.ts'
import { readDue, readReportsSince, readRollups, type RollupFilter } from './rollups.ts'
import { readWanted } from './series.ts'
import type { Sql } from '../../platform/db/sql.ts'
import { DueTimes } from './due-times.ts'
import { lengthMs, type Resolution } from './resolution.ts'
import { historyRows, rowsOfRegions, rowsOver, stretches, type HistoryRow, type Stretch } from './rows.ts'
import { startOf } from './window.ts'

export interface RowQuery extends RollupFilter {
  resolution: Resolution
  stepMs: number
  names: readonly EdgeMetricName[]
}

/** If more is due than this, older intervals are read as they were last rolled up. */
const minutesMax = 60
const hoursMax = { region: 24, edge: 2 } as const

const toMinute = <T extends { at: number }>(each: T): T => ({ ...each, at: startOf(each.at, lengthMs['1m']) })
const toHour = <T extends { at: number }>(each: T): T => ({ ...each, at: startOf(each.at, lengthMs['1h']) })

/** `sql` must see one state of the database throughout. */
export async function collectRows(sql: Sql, asked: RowQuery): Promise<HistoryRow[]> {
  const { resolution, from, to, by } = asked
  const wanted = await readWanted(sql, asked.names)
  const since = await readReportsSince(sql)
  if (resolution === 'reports') return await worked(asked, stretches(from, to, asked.stepMs))

  const due = await readDue(sql, startOf(from, lengthMs['1h']), to)
  const minutes = new DueTimes(
    due.filter((each) => each.resolution === '1m'),
    lengthMs['1m'],
    minutesMax,
  )
  if (resolution !== '1h') return await rolledUp(resolution, asked)

  // An hour is due as soon as one of its minutes is.
  const hours = new DueTimes(due.map(toHour), lengthMs['1h'], hoursMax[by])
  const finished = await readRollups(sql, '1h', asked, wanted)
  const unfinished = await Promise.all(
    hours.stretchesWithin(from, to).map(async (stretch) => await rolledUp('1m', { ...asked, ...stretch })),
  )
  return [
    ...finished.filter((row) => !hours.has(row)),
    ...rowsOver(unfinished.flat(), (at) => startOf(at, lengthMs['1h'])).filter((row) => hours.has(row)),
  ]

  async function rolledUp(length: '10s' | '1m', filter: RollupFilter): Promise<HistoryRow[]> {
    const kept = await readRollups(sql, length, filter, wanted)
    const fresh = await Promise.all(
      minutes
        .stretchesWithin(filter.from, filter.to)
        .map(
          async (stretch) =>
            await worked({ ...filter, ...stretch }, stretches(stretch.from, stretch.to, lengthMs[length])),
        ),
    )
    return [
      ...kept.filter((row) => !minutes.has(toMinute(row))),
      ...fresh.flat().filter((row) => minutes.has(toMinute(row))),
    ]
  }

  async function worked(filter: RollupFilter, stretch: Stretch): Promise<HistoryRow[]> {
    const rows = historyRows(await readReadings(sql, filter, wanted), stretch, since)
    return by === 'edge' ? rows : rowsOfRegions(rows)
  }
}
