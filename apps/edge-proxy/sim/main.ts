/**
 * `npm run sim`: worlds for ten minutes. `-- --minutes 1 --seed 7` for less, or to repeat. `-- --seed 7 --reduction JSON` runs
 * one reduced world, with `--events 5000` it prints more of its last events. `-- --ahead` asks ahead in all of them,
 * `-- --restart 2000` restarts the mail server of 2,000 clients.
 * `-- --mutants` measures the simulation by planted faults.
 */
import { execFileSync } from 'node:child_process'
import { parseArgs } from 'node:util'
import { judgeMutants } from './judge-mutants.ts'
import type { Reduction } from './plan.ts'
import { runOne, runWorlds, shrink } from './run-worlds.ts'
import type { ReportedWorld } from './worlds.ts'

/** Number of worlds for each planted fault. It is not a time, so that every machine has the same result. */
const mutantWorlds = 120

const print = (text: string) => void process.stdout.write(`${text}\n`)

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      seed: { type: 'string' },
      minutes: { type: 'string', default: '10' },
      reduction: { type: 'string' },
      events: { type: 'string', default: '60' },
      ahead: { type: 'boolean', default: false },
      restart: { type: 'string' },
      mutants: { type: 'boolean', default: false },
      only: { type: 'string' },
      'simulation-only': { type: 'boolean', default: false },
      'units-only': { type: 'boolean', default: false },
      again: { type: 'boolean', default: false },
      worlds: { type: 'string', default: String(mutantWorlds) },
    },
  })
  const seed = values.seed === undefined ? Math.floor(Math.random() * 1e9) : Number(values.seed)
  const ms = Number(values.minutes) * 60_000
  if (!Number.isSafeInteger(seed) || !(ms > 0)) {
    print('--seed must be a whole number, --minutes a number above 0')
    return 2
  }
  if (values.mutants)
    return judgeMutants({
      print,
      only: values.only,
      worlds: Number(values.worlds),
      half: values['simulation-only'] ? 'simulation' : values['units-only'] ? 'units' : undefined,
      isAgain: values.again,
    })
  const shown = { events: Number(values.events) }
  if (values.reduction !== undefined)
    return show(await runOne(seed, JSON.parse(values.reduction) as Reduction, shown))
  print(`simulating for ${values.minutes} min, from seed ${seed} on`)
  const totals = { worlds: 0, events: 0, logins: 0, warm: 0, claimed: 0, behindBarriers: 0, leftAhead: 0 }
  const whole: Reduction = {
    ...(values.ahead && { ahead: true }),
    ...(values.restart !== undefined && { restart: Number(values.restart) }),
  }
  const found = await runWorlds({
    seed,
    ms,
    reduction: whole,
    onWorld({ events, counts }) {
      totals.worlds++
      totals.events += events
      totals.logins += counts.logins
      totals.warm += counts.warm
      totals.claimed += counts.claimed
      totals.behindBarriers += counts.behindBarriers
      totals.leftAhead += counts.leftAhead
      if (totals.worlds % 500 === 0) print(`${totals.worlds} worlds, ${totals.logins} logins`)
    },
  })
  print(
    `${totals.worlds} worlds, ${totals.events} events, ${totals.logins} logins, ${totals.warm} of them on a used connection, ` +
      `${totals.claimed} answers that were asked ahead, ${totals.behindBarriers} questions behind a barrier, ${totals.leftAhead} mailboxes left ahead`,
  )
  if (!found) {
    print('nothing found')
    return 0
  }
  show(found)
  print('looking for the smallest world that fails ...')
  const reduction = await shrink(found.seed, whole, () => {})
  const text = JSON.stringify(reduction)
  print(`commit ${commit()}, again with: npm run sim -- --seed ${found.seed} --reduction '${text}'`)
  return show(await runOne(found.seed, reduction, shown))
}

function show({ seed, findings, hash, lastEvents }: ReportedWorld): number {
  for (const line of lastEvents) print(line)
  print(`seed ${seed}, ${hash}: ${findings.length === 0 ? 'nothing found' : ''}`)
  for (const finding of findings) print(`  ${finding}`)
  return findings.length > 0 ? 1 : 0
}

function commit(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  } catch {
    return 'unknown'
  }
}

process.exitCode = await main()
