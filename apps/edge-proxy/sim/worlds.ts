/**
 * Runs worlds for another process: `worlds.ts '{"seeds":[1,2],"reduction":{}}'`. Prints one line of JSON for each. It ends
 * after the first finding, because the edge may have left its process in any state.
 */
import { planOf, type Reduction } from './plan.ts'
import { World, type WorldResult } from './world.ts'

export interface WorldsOrder {
  seeds: number[]
  reduction?: Reduction
  /** How many of the last events of a world with findings are reported. */
  events?: number
}

export type ReportedWorld = Pick<WorldResult, 'findings' | 'hash' | 'events' | 'counts'> & {
  seed: number
  lastEvents: string[]
}

const { seeds, reduction, events: shown = 60 } = JSON.parse(process.argv[2] ?? '{"seeds":[]}') as WorldsOrder
for (const seed of seeds) {
  const { lastEvents, ...result } = await new World(planOf(seed, reduction)).run()
  const hasFailed = result.findings.length > 0
  const reported: ReportedWorld = { seed, ...result, lastEvents: hasFailed ? lastEvents(shown) : [] }
  // Waits until the line is written before the process exits.
  await new Promise((resolve) => process.stdout.write(`${JSON.stringify(reported)}\n`, resolve))
  if (hasFailed) break
}
process.exit(0)
