/** `npm run bench console`, `edge`, `fleet`, `history`, `pages`, `pressure`, `profile` and `scale`: parses the command line and sets the exit status. */
import { LocalError } from '@imapfleet/local'
import { benchConsole } from './console/bench.ts'
import * as web from './console/options.ts'
import { benchEdge } from './edge/bench.ts'
import * as edge from './edge/options.ts'
import { benchFleet } from './fleet/bench.ts'
import * as fleet from './fleet/options.ts'
import { benchHistory } from './history/bench.ts'
import * as history from './history/options.ts'
import { benchPages } from './pages/bench.ts'
import * as pages from './pages/options.ts'
import { benchPressure } from './pressure/bench.ts'
import * as pressure from './pressure/options.ts'
import { benchProfile, parseProfileOptions, profileBenchUsage } from './profile/bench.ts'
import { benchScale } from './scale/bench.ts'
import * as scale from './scale/options.ts'
import { BenchError } from './problem.ts'

const [subject, ...rest] = process.argv.slice(2)
try {
  if (subject === 'edge') await benchEdge(optionsOrExit(edge.parseEdgeOptions(rest), edge.edgeBenchUsage))
  else if (subject === 'fleet')
    await benchFleet(optionsOrExit(fleet.parseFleetOptions(rest), fleet.fleetBenchUsage))
  else if (subject === 'history')
    await benchHistory(optionsOrExit(history.parseHistoryOptions(rest), history.historyBenchUsage))
  else if (subject === 'pages')
    await benchPages(optionsOrExit(pages.parsePagesOptions(rest), pages.pagesBenchUsage))
  else if (subject === 'pressure')
    await benchPressure(optionsOrExit(pressure.parsePressureOptions(rest), pressure.pressureBenchUsage))
  else if (subject === 'profile')
    await benchProfile(optionsOrExit(parseProfileOptions(rest), profileBenchUsage))
  else if (subject === 'scale')
    await benchScale(optionsOrExit(scale.parseScaleOptions(rest), scale.scaleBenchUsage))
  else if (subject === 'console')
    await benchConsole(optionsOrExit(web.parseConsoleOptions(rest), web.consoleBenchUsage))
  else
    optionsOrExit(
      `there is no benchmark named ${subject ?? '(none)'}`,
      `${web.consoleBenchUsage}\n${edge.edgeBenchUsage}\n${fleet.fleetBenchUsage}\n${history.historyBenchUsage}\n${pages.pagesBenchUsage}\n${pressure.pressureBenchUsage}\n${profileBenchUsage}\n${scale.scaleBenchUsage}`,
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
