/** The command line of the history benchmark: size of the fleet and days of data. */
import { parseArgs } from 'node:util'

export interface HistoryBenchOptions {
  edges: number
  days: number
  /** Number of runs of each query. */
  repeat: number
  /** Fills the data again, even if an earlier run left some. */
  fresh: boolean
  /** Only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const historyBenchUsage = `usage: npm run bench history -- [options]
  --edges N    size of the fleet (default 1000)
  --days N     days of rollups (default 30); of reports there is always one
  --quick      20 edges, 2 days: whether it works
  --fresh      fill the data again

The data is kept in .run/bench-history for the next run; remove that directory to free the space. A complete run needs 50 GB there
while it fills.`

/** The options, or an error message. */
export function parseHistoryOptions(argv: string[]): HistoryBenchOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        edges: { type: 'string' },
        days: { type: 'string' },
        quick: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
      },
    })
    const { quick, fresh } = values
    const edges = Number(values.edges ?? (quick ? 20 : 1_000))
    const days = Number(values.days ?? (quick ? 2 : 30))
    if (!Number.isInteger(edges) || edges < 4 || edges > 5_000)
      return `--edges must be a whole number from 4 to 5000, not ${values.edges}`
    if (!Number.isInteger(days) || days < 2 || days > 90)
      return `--days must be a whole number from 2 to 90, not ${values.days}`
    return { edges, days, repeat: quick ? 3 : 9, fresh, complete: edges >= 1_000 && days >= 30 }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
