/** Reports into Postgres. One that can never be stored must not hold up those that came with it. */
import type { Report } from '@imapfleet/protocol'
import { insertReports } from '../db/reports.ts'
import { troubleOf } from '../db/trouble.ts'
import type { Deps } from '../deps.ts'
import { reasonOf } from '../log.ts'

/** A reason for each report that was refused for good; all others are stored. Throws when Postgres is away. */
export async function recordReports(deps: Deps, reports: readonly Report[]): Promise<Map<Report, string>> {
  const refused = new Map<Report, string>()
  await store(deps, reports, refused)
  return refused
}

/** Halves a batch that is refused until the culprits stand alone. */
async function store(deps: Deps, reports: readonly Report[], refused: Map<Report, string>): Promise<void> {
  const [first] = reports
  if (!first) return
  try {
    await insertReports(deps.db, reports)
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (reports.length === 1) {
      refused.set(first, reasonOf(error))
      return
    }
    const middle = Math.ceil(reports.length / 2)
    await store(deps, reports.slice(0, middle), refused)
    await store(deps, reports.slice(middle), refused)
  }
}
