/** `npm run fuzz`: ten minutes by default; `-- --seconds 20 --seed N` for less, or to repeat a finding. */
import { parseArgs } from 'node:util'
import { fuzz } from './fuzz.ts'

const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '600' }, seed: { type: 'string' } },
})
const seconds = Number(values.seconds)
const seed = values.seed === undefined ? Math.floor(Math.random() * 1_000_000) : Number(values.seed)
if (!(seconds > 0) || !Number.isSafeInteger(seed)) {
  console.error('--seconds must be a number above 0, --seed a whole number')
  process.exit(2)
}

console.log(`fuzzing for ${seconds} s, seed ${seed}`)
const startedAt = Date.now()
let printedAt = startedAt
const { rounds, clients, finding } = await fuzz({
  seconds,
  seed,
  onRound: (done) => {
    if (Date.now() - printedAt < 30_000) return
    printedAt = Date.now()
    console.log(`${Math.round((printedAt - startedAt) / 1000)} s, ${done} rounds`)
  },
})
if (finding) {
  console.log(`found in round ${rounds + 1}; again with --seed ${finding.seed}:\n${finding.seen}`)
  process.exitCode = 1
} else console.log(`${rounds} rounds, ${clients} wild clients, nothing found`)
