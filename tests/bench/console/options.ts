/** The command line of the benchmark of the web console. */
import { parseArgs } from 'node:util'

export interface ConsoleBenchOptions {
  edges: number
  /** Of each page. */
  repeats: number
  /** Only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const consoleBenchUsage = `usage: npm run bench console -- [options]
  --edges N    size of the fleet (default 1000)
  --quick      40 edges, two repeats: whether it works`

/** The options, or an error message. */
export function parseConsoleOptions(argv: string[]): ConsoleBenchOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: { edges: { type: 'string' }, quick: { type: 'boolean', default: false } },
    })
    const { quick } = values
    const edges = Number(values.edges ?? (quick ? 40 : 1_000))
    if (!Number.isInteger(edges) || edges < 4 || edges > 5_000)
      return `--edges must be a whole number from 4 to 5000, not ${values.edges}`
    return { edges, repeats: quick ? 2 : 15, complete: !quick && edges >= 1_000 }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
