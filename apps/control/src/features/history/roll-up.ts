/**
 * Makes the rollups that are due. Each minute and each hour of a region is computed as a whole from all its data, so
 * that late reports count, and repeating it changes nothing.
 */
import type { Deps } from '../../deps.ts'
import { noLimits } from '../../platform/access.ts'
import type { Sql } from '../../platform/db/sql.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { readFollowers, readReadings } from './queries.ts'
import {
  addDue,
  nextDue,
  readReportsSince,
  readRollups,
  takeDue,
  writeRollups,
  type Due,
} from './rollup-queries.ts'
import { historyRows, rowsOfRegions, rowsOver } from './rows.ts'
import { readAllSeries } from './series.ts'
import { graceMs, keptSince, lengthMs, startOf } from './window.ts'

/** After this time other timers run. The rest is done in the next run. */
const turnMs = 2_000

export async function rollUp(deps: Deps, lease: Lease): Promise<void> {
  const end = deps.now() + turnMs
  let isMore = true
  // Minutes can become due faster than they are made. At least one hour is made in each run.
  let first: Due['resolution'] = '1h'
  while (isMore && deps.now() < end)
    await lease.begin(async (tx) => {
      const due = await newestDue(tx, deps, first)
      first = '1m'
      isMore = due !== undefined
      if (due?.resolution === '1m') await rollUpMinute(tx, due, keptSince(deps.kept, deps.now()).reports)
      if (due?.resolution === '1h') await rollUpHour(tx, due)
    })
}

/** A rollup older than its sources stays unchanged. */
async function newestDue(tx: Sql, { kept, now }: Deps, first: Due['resolution']): Promise<Due | undefined> {
  const since = keptSince(kept, now())
  const next = async (resolution: Due['resolution']) =>
    await nextDue(
      tx,
      resolution,
      resolution === '1m' ? since.reports : since.minutes,
      now() - lengthMs[resolution] - graceMs[resolution],
    )
  return (await next(first)) ?? (await next(first === '1m' ? '1h' : '1m'))
}

async function rollUpMinute(tx: Sql, due: Due, since: number): Promise<void> {
  const { region, at: from } = due
  const filter = { limits: noLimits, from, to: from + lengthMs['1m'], region }
  // Reports that are committed from here on set new marks.
  const spreads = await takeDue(tx, due)
  const series = await readAllSeries(tx)
  const readings = await readReadings(tx, filter, series)
  const byEdge = historyRows(readings, { ...filter, lengthMs: lengthMs['10s'] }, await readReportsSince(tx))
  const minutes = rowsOver(byEdge, () => from)
  await writeRollups(tx, '10s', rowsOfRegions(byEdge), series.numberOf)
  await writeRollups(tx, '1m', [...minutes, ...rowsOfRegions(minutes)], series.numberOf)
  await addDue(tx, [{ resolution: '1h', region, at: startOf(from, lengthMs['1h']) }])
  if (!spreads) return
  // The next interval was computed from a reading that is no longer the previous one.
  const within = readings.filter(({ at }) => at < filter.to)
  const followers = (await readFollowers(tx, filter, within)).flatMap(({ region: its, at }) =>
    [at, at - lengthMs['1m']].map((minute) => ({ resolution: '1m' as const, region: its, at: minute })),
  )
  await addDue(
    tx,
    followers.filter(({ region: its, at }) => at >= since && (at !== from || its !== region)),
  )
}

async function rollUpHour(tx: Sql, due: Due): Promise<void> {
  const { region, at: from } = due
  await takeDue(tx, due)
  const series = await readAllSeries(tx)
  for (const by of ['edge', 'region'] as const) {
    const filter = { limits: noLimits, from, to: from + lengthMs['1h'], by, region }
    const minutes = await readRollups(tx, '1m', filter, series)
    await writeRollups(
      tx,
      '1h',
      rowsOver(minutes, () => from),
      series.numberOf,
    )
  }
}
