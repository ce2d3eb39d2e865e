/**
 * Makes the rollups that are due. Each minute and each hour of a region is computed as a whole from all its data, so
 * that late reports count, and repeating it changes nothing.
 */
import type { Lease } from '../../platform/ticks/leases.ts'
import { readFollowers, readReadings } from './readings.ts'
import { addDue, nextDue, readReportsSince, readRollups, takeDue, writeRollups, type Due } from './rollups.ts'
import { readAllSeries } from './series.ts'
import type { Sql } from '../../platform/db/sql.ts'
import type { Deps } from '../../deps.ts'
import { keptSince } from './kept.ts'
import { lengthMs } from './resolution.ts'
import { historyRows, rowsOfRegions, rowsOver, stretches } from './rows.ts'
import { startOf } from './window.ts'

/** How long after the end of a minute reports are waited for. Later ones make it due again. */
const graceMs = { '1m': 5_000, '1h': 60_000 } as const
/** After this time other timers run. The rest is done in the next run. */
const turnMs = 2_000

export async function rollUp(deps: Deps, lease: Lease): Promise<void> {
  const end = deps.now() + turnMs
  let isMore = true
  while (isMore && deps.now() < end)
    await lease.begin(async (tx) => {
      const due = await oldestDue(tx, deps)
      isMore = due !== undefined
      if (due?.resolution === '1m') await rollUpMinute(tx, due, keptSince(deps.kept, deps.now()).reports)
      if (due?.resolution === '1h') await rollUpHour(tx, due)
    })
}

/** A rollup older than its sources stays unchanged. */
async function oldestDue(tx: Sql, { kept, now }: Deps): Promise<Due | undefined> {
  const since = keptSince(kept, now())
  const over = (resolution: Due['resolution']) => now() - lengthMs[resolution] - graceMs[resolution]
  return (
    (await nextDue(tx, '1m', since.reports, over('1m'))) ??
    (await nextDue(tx, '1h', since.minutes, over('1h')))
  )
}

async function rollUpMinute(tx: Sql, due: Due, since: number): Promise<void> {
  const { region, at: from } = due
  const filter = { from, to: from + lengthMs['1m'], region }
  // Reports that are committed from here on set marks of their own.
  const spreads = await takeDue(tx, due)
  const series = await readAllSeries(tx)
  const readings = await readReadings(tx, filter, series)
  const byEdge = historyRows(
    readings,
    stretches(filter.from, filter.to, lengthMs['10s']),
    await readReportsSince(tx),
  )
  const minutes = rowsOver(byEdge, () => from)
  await writeRollups(tx, '10s', rowsOfRegions(byEdge), series.numberOf)
  await writeRollups(tx, '1m', [...minutes, ...rowsOfRegions(minutes)], series.numberOf)
  await addDue(tx, [{ resolution: '1h', region, at: startOf(from, lengthMs['1h']) }])
  if (!spreads) return
  // The next interval was computed from a reading that is no longer the previous one.
  const followers = (await readFollowers(tx, filter, readings)).filter(
    ({ region: its, at }) => at >= since && (at !== from || its !== region),
  )
  await addDue(
    tx,
    followers.map((follower) => ({ resolution: '1m', ...follower })),
  )
}

async function rollUpHour(tx: Sql, due: Due): Promise<void> {
  const { region, at: from } = due
  await takeDue(tx, due)
  const series = await readAllSeries(tx)
  for (const by of ['edge', 'region'] as const) {
    const filter = { from, to: from + lengthMs['1h'], by, region }
    const minutes = await readRollups(tx, '1m', filter, series)
    await writeRollups(
      tx,
      '1h',
      rowsOver(minutes, () => from),
      series.numberOf,
    )
  }
}
