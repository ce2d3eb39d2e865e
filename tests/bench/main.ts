/** `npm run bench edge`: the door to the benchmarks. It reads the command line and ends with the right exit status. */
import { benchEdge } from './edge/bench.ts'
import { parseOptions, usage } from './edge/options.ts'
import { BenchError } from './edge/problem.ts'

const [subject, ...rest] = process.argv.slice(2)
const options = subject === 'edge' ? parseOptions(rest) : `there is no benchmark named ${subject ?? '(none)'}`
if (typeof options === 'string') {
  console.error(`bench: ${options}\n${usage}`)
  process.exit(2)
}
try {
  await benchEdge(options)
} catch (error) {
  if (!(error instanceof BenchError)) throw error
  console.error(`bench: ${error.message}`)
  process.exitCode = 1
}
