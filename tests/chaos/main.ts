/**
 * `npm run chaos`: real servers are killed, stopped and cut off under traffic. `-- NAME...` takes these scenarios,
 * `--rounds N` and `--seconds N` set how often each occurs and how long a fault lasts.
 */
import { parseArgs } from 'node:util'
import { keepTemporaryDirectory } from '@imapfleet/local'
import { chaosScenarios } from './scenarios.ts'
import { ChaosRun } from './chaos-run.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '3' }, seconds: { type: 'string', default: '120' } },
})
const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
const chosen = chaosScenarios.filter(({ name }) => positionals.length === 0 || positionals.includes(name))
if (chosen.length < positionals.length || !Number.isSafeInteger(rounds) || rounds < 1 || !(seconds > 0)) {
  const names = chaosScenarios.map(({ name }) => name).join(', ')
  console.error(`the scenarios are ${names}; --rounds and --seconds are numbers above 0`)
  process.exit(2)
}

const since = Date.now()
const say = (text: string) => console.log(`${((Date.now() - since) / 1000).toFixed(1)} s: ${text}`)
const stage = await ChaosRun.start()
try {
  say('everything runs')
  for (let round = 1; round <= rounds; round++)
    for (const { name, guarantee, missing, run } of chosen) {
      const reason = missing?.(stage)
      say(`${name}, round ${round}: ${reason ?? guarantee}`)
      if (reason === undefined) await run(stage, { faultMs: seconds * 1000, say })
    }
  say('comparing clients, edges, history and mail server')
  await stage.compare()
  say('nothing was lost, doubled or decided wrongly')
} catch (error) {
  process.exitCode = 1
  const { directory } = stage.world.ground
  keepTemporaryDirectory(directory)
  say(`failed: ${error instanceof Error ? error.message : String(error)}\nlogs and data are in ${directory}`)
} finally {
  await stage.stop({ keep: process.exitCode === 1 })
}
