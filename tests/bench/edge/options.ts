/** The command line of the edge benchmark: which scenarios, how often, how long. */
import { parseArgs } from 'node:util'
import { listOf, wholeNumberOf } from '../option-values.ts'

export const groups = ['sessions', 'login', 'bodies', 'idle', 'distance', 'start'] as const
export type Group = (typeof groups)[number]

export const contestantNames = ['no proxy', 'imapfleet', 'imapproxy', 'HAProxy'] as const
export type ContestantName = (typeof contestantNames)[number]

export interface EdgeBenchOptions {
  only: Group[]
  contestants: ContestantName[]
  repeat: number
  seconds: number
  /** Also shortens the warm-up: checks that the benchmark works, not how fast it is. */
  quick: boolean
  /** Every scenario and contestant at full length: only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const edgeBenchUsage = `usage: npm run bench edge -- [options]
  --only LIST         of ${groups.join(', ')}
  --contestants LIST  of ${contestantNames.join(', ')}
  --repeat N          measure everything N times (default 5)
  --seconds N         length of one measurement (default 3)
  --quick             one repetition of one second with a short warm-up: checks that it works`

/** The options, or an error message. */
export function parseEdgeOptions(argv: string[]): EdgeBenchOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        only: { type: 'string' },
        contestants: { type: 'string' },
        repeat: { type: 'string' },
        seconds: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    })
    const only = listOf('--only', values.only, groups)
    const contestants = listOf('--contestants', values.contestants, contestantNames)
    const repeat = wholeNumberOf('--repeat', values.repeat ?? (values.quick ? '1' : '5'), 1, 1000)
    const seconds = wholeNumberOf('--seconds', values.seconds ?? (values.quick ? '1' : '3'), 1, 1000)
    const complete =
      !values.quick && only.length === groups.length && contestants.length === contestantNames.length
    return { only, contestants, repeat, seconds, quick: values.quick, complete }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
