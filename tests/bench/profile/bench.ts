/** The profile of sessions: measures, prints the tables, writes the document. */
import { parseArgs } from 'node:util'
import { stopAll } from '../edge/child.ts'
import { buildPrograms } from '../edge/programs.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { profileDocument } from './document.ts'
import { measureProfiles } from './measure.ts'

interface ProfileOptions {
  /** Of each load. */
  seconds: number
  /** Only such a run writes docs/benchmarks.md. */
  complete: boolean
}

export const profileBenchUsage = `usage: npm run bench profile -- [options]
  --quick          short loads: whether it works`

/** The options, or an error message. */
export function parseProfileOptions(argv: string[]): ProfileOptions | string {
  try {
    const { quick } = parseArgs({
      args: argv,
      options: { quick: { type: 'boolean', default: false } },
    }).values
    return { seconds: quick ? 2 : 8, complete: !quick }
  } catch (error) {
    return (error as Error).message.split('\n')[0] ?? 'bad options'
  }
}

export async function benchProfile({ seconds, complete }: ProfileOptions): Promise<void> {
  onInterrupt(stopAll)
  try {
    const machine = describeMachine('apps/edge-proxy', 'packages', 'tests/bench')
    await buildPrograms()
    const document = profileDocument(machine, seconds, await measureProfiles(seconds))
    console.log(document)
    if (complete) writePart('profile', document)
    else console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench profile')
  } finally {
    await stopAll()
  }
}
