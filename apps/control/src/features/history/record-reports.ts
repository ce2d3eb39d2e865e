/** Stores reports. A report that can never be stored must not block the others of its batch. */
import type { Report } from '@imapfleet/protocol'
import { reasonOf } from '@imapfleet/observe'
import { insertReports } from './reports.ts'
import { troubleOf } from '../../platform/db/trouble.ts'
import type { Deps } from '../../deps.ts'

/** A message that was recognised as a report. */
export interface Received {
  report: Report
  /** The message. */
  bytes: number
}

/** Limit for one statement. A batch of large reports is written in parts. */
const bytesMax = 16_777_216

/**
 * Returns the reason for each report that can never be stored; all others are stored. Throws if Postgres is
 * unavailable.
 */
export async function recordReports<R extends Received>(
  deps: Deps,
  reports: readonly R[],
): Promise<Map<R, string>> {
  const refused = new Map<R, string>()
  await store(deps, reports, refused)
  deps.metrics.counters.control_reports_total.value += reports.length - refused.size
  return refused
}

/** Splits a batch that is too large, or that is refused, until the bad reports are found. */
async function store<R extends Received>(
  deps: Deps,
  reports: readonly R[],
  refused: Map<R, string>,
): Promise<void> {
  const [first] = reports
  if (!first) return
  const size = reports.reduce((sum, { bytes }) => sum + bytes, 0)
  if (size > bytesMax && reports.length > 1) return await storeHalves(deps, reports, refused)
  try {
    await insertReports(
      deps.db,
      reports.map(({ report }) => report),
    )
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (reports.length > 1) return await storeHalves(deps, reports, refused)
    refused.set(first, reasonOf(error))
  }
}

async function storeHalves<R extends Received>(
  deps: Deps,
  reports: readonly R[],
  refused: Map<R, string>,
): Promise<void> {
  const middle = Math.ceil(reports.length / 2)
  await store(deps, reports.slice(0, middle), refused)
  await store(deps, reports.slice(middle), refused)
}
