/** The command line of the fleet benchmark: size of the fleet and number of repetitions. */
import { parseArgs } from 'node:util'
import { wholeNumberOf } from '../option-values.ts'

export interface FleetBenchOptions {
  edges: number
  orders: number
  changes: number
  reportsEach: number
  ingestRepeats: number
  idleSeconds: number
  /** The whole fleet at full length: only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const fleetBenchUsage = `usage: npm run bench fleet -- [options]
  --edges N    size of the fleet (default 1000)
  --quick      everything a few times only: whether it works`

/** The options, or an error message. */
export function parseFleetOptions(argv: string[]): FleetBenchOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { edges: { type: 'string', default: '1000' }, quick: { type: 'boolean', default: false } },
    })
    const edges = wholeNumberOf('--edges', values.edges, 10, 5_000)
    const { quick } = values
    return {
      edges,
      orders: quick ? 20 : 200,
      changes: quick ? 3 : 20,
      reportsEach: quick ? 20 : 60,
      ingestRepeats: quick ? 1 : 3,
      idleSeconds: quick ? 5 : 30,
      complete: !quick && edges === 1_000,
    }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
