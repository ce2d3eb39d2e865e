/** The command line of the benchmark of restarts and failing addresses. */
import { parseArgs } from 'node:util'
import { wholeNumberOf } from '../option-values.ts'

export interface PressureOptions {
  users: number
  repeat: number
  /** Of one phase of the test with two addresses. */
  phaseSeconds: number
  /** Only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const pressureBenchUsage = `usage: npm run bench pressure -- [options]
  --users N        users that log in after the restart (default 2000)
  --repeat N       restarts of each program (default 1)
  --quick          200 users, one restart, short phases: whether it works`

const usual = { users: '2000', repeat: '1' }

/** The options, or an error message. */
export function parsePressureOptions(argv: string[]): PressureOptions | string {
  try {
    const { values } = parseArgs({
      args: argv,
      options: {
        users: { type: 'string' },
        repeat: { type: 'string' },
        quick: { type: 'boolean', default: false },
      },
    })
    const { quick } = values
    const users = wholeNumberOf('--users', values.users ?? (quick ? '200' : usual.users), 10, 4000)
    const repeat = wholeNumberOf('--repeat', values.repeat ?? (quick ? '1' : usual.repeat), 1, 100)
    const isUsual = values.users === undefined && values.repeat === undefined
    return { users, repeat, phaseSeconds: quick ? 3 : 10, complete: isUsual && !quick }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}
