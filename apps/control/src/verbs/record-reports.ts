/** Reports into Postgres. One that can never be stored must not hold up those that came with it. */
import type { Report } from '@imapfleet/protocol'
import { reasonOf } from '@imapfleet/observe'
import { insertReports } from '../db/reports.ts'
import { troubleOf } from '../db/trouble.ts'
import type { Deps } from '../deps.ts'

/** A message that has been recognised as a report. */
export interface Received {
  report: Report
  /** As it came. */
  bytes: number
}

/** What one statement may hold: a batch of large reports is written in parts. */
const bytesMax = 16_777_216

/** A reason for each that was refused for good; all others are stored. Throws when Postgres is away. */
export async function recordReports<R extends Received>(
  deps: Deps,
  reports: readonly R[],
): Promise<Map<R, string>> {
  const refused = new Map<R, string>()
  await store(deps, reports, refused)
  deps.metrics.counters.control_reports_total.value += reports.length - refused.size
  return refused
}

/** Halves a batch that is too large, or is refused until the culprits stand alone. */
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
