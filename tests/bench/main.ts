/** `npm run bench edge`, `fleet` and `history`: reads the command line and ends with the right exit status. */
import { LocalError } from '@imapfleet/local'
import { benchEdge } from './edge/bench.ts'
import * as edge from './edge/options.ts'
import { benchFleet } from './fleet/bench.ts'
import * as fleet from './fleet/options.ts'
import { benchHistory } from './history/bench.ts'
import * as history from './history/options.ts'
import { BenchError } from './problem.ts'

const [subject, ...rest] = process.argv.slice(2)
try {
  if (subject === 'edge') await benchEdge(optionsOrExit(edge.parseOptions(rest), edge.usage))
  else if (subject === 'fleet') await benchFleet(optionsOrExit(fleet.parseOptions(rest), fleet.usage))
  else if (subject === 'history') await benchHistory(optionsOrExit(history.parseOptions(rest), history.usage))
  else
    optionsOrExit(
      `there is no benchmark named ${subject ?? '(none)'}`,
      `${edge.usage}\n${fleet.usage}\n${history.usage}`,
    )
} catch (error) {
  if (!(error instanceof BenchError) && !(error instanceof LocalError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 1
}

function optionsOrExit<T extends object>(options: T | string, usage: string): T {
  if (typeof options !== 'string') return options
  console.error(`bench: ${options}\n${usage}`)
  process.exit(2)
}
