/** The command line of the edge benchmark: which scenarios, how often, how long. */
import { parseArgs } from 'node:util'

export const groups = ['sessions', 'login', 'bodies', 'idle', 'distance'] as const
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
    const repeat = numberOf('--repeat', values.repeat, values.quick ? 1 : 5)
    const seconds = numberOf('--seconds', values.seconds, values.quick ? 1 : 3)
    const complete =
      !values.quick && only.length === groups.length && contestants.length === contestantNames.length
    return { only, contestants, repeat, seconds, quick: values.quick, complete }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}

function listOf<T extends string>(option: string, text: string | undefined, known: readonly T[]): T[] {
  if (text === undefined) return [...known]
  return text.split(',').map((word) => {
    const found = known.find((name) => name === word)
    if (!found) throw new Error(`${option} knows ${known.join(', ')}, not ${word}`)
    return found
  })
}

function numberOf(option: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text)
  if (!Number.isInteger(value) || value < 1 || value > 1000)
    throw new Error(`${option} must be a whole number from 1 to 1000, not ${text}`)
  return value
}
