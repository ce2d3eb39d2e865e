/** The command line of the pages benchmark: which contestants, how far the server is, how many sessions. */
import { parseArgs } from 'node:util'
import { listOf, wholeNumberOf } from '../option-values.ts'
import { pagesContestants, type PagesContestant } from './contestants.ts'

/** pages: a pause before each page. hurried: none. changing: another client changes the mailbox all the while. */
const pagesParts = ['pages', 'hurried', 'changing'] as const
type PagesPart = (typeof pagesParts)[number]

const distances = ['20', '60'] as const

export interface PagesBenchOptions {
  only: PagesPart[]
  contestants: PagesContestant[]
  /** Milliseconds to the server, in each direction. */
  distances: number[]
  /** Sessions of each contestant at each distance, each with its own seed. */
  repeat: number
  seed: number
  /** Divides the number of pages of a session. */
  shorter: number
  /** Where to write the IMAP dialogue of sessions, instead of measuring. */
  record: string | undefined
  /** Only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const pagesBenchUsage = `usage: npm run bench pages -- [options]
  --only LIST         of ${pagesParts.join(', ')}
  --contestants LIST  of ${pagesContestants.join(', ')}
  --distances LIST    of ${distances.join(', ')}: milliseconds to the server, each way
  --repeat N          sessions of each contestant at each distance (default 1)
  --seed N            of the first session (default 1)
  --quick             one session of a third of the pages, 20 ms away: checks that it works
  --record DIRECTORY  writes the IMAP dialogue of three sessions, and measures nothing`

/** The options, or an error message. */
export function parsePagesOptions(argv: string[]): PagesBenchOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        only: { type: 'string' },
        contestants: { type: 'string' },
        distances: { type: 'string' },
        repeat: { type: 'string' },
        seed: { type: 'string', default: '1' },
        quick: { type: 'boolean', default: false },
        record: { type: 'string' },
      },
    })
    const { quick, record } = values
    const only = listOf('--only', values.only, pagesParts)
    const contestants = listOf('--contestants', values.contestants, pagesContestants)
    const far = listOf('--distances', values.distances ?? (quick ? '20' : undefined), distances)
    const repeat = wholeNumberOf('--repeat', values.repeat ?? '1', 1, 100)
    const seed = wholeNumberOf('--seed', values.seed, 1, 1_000_000)
    const complete =
      !quick &&
      only.length === pagesParts.length &&
      contestants.length === pagesContestants.length &&
      far.length === distances.length
    return {
      only,
      contestants,
      repeat,
      seed,
      record,
      complete,
      distances: far.map(Number),
      shorter: quick ? 3 : 1,
    }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
