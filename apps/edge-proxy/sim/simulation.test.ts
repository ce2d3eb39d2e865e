/** A short simulation with seeds that once failed, fixed seeds, and new seeds. `npm run sim` runs longer. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { mutants } from './mutants.ts'
import type { Reduction } from './plan.ts'
import { runOne, runWorlds } from './run-worlds.ts'
import type { ReportedWorld } from './worlds.ts'

/** Worlds in which the edge once had the named fault. A change of the simulation changes the worlds of all seeds. */
const kept = JSON.parse(readFileSync(new URL('kept-seeds.json', import.meta.url), 'utf8')) as {
  seed: number
  reduction: Reduction
  found: string
}[]

const hint = ({ seed, findings }: ReportedWorld, options = '') =>
  `npm run sim -- --seed ${seed}${options} shows: ${findings.join('; ')}`

/** Only a very busy machine needs this long. */
const patient = { timeout: 240_000 }

test('a seed repeats its world, event by event, whatever ran in the process before', patient, async () => {
  const hashes: string[] = []
  const onWorld = ({ seed, hash }: ReportedWorld) => void (seed === 23 && hashes.push(hash))
  await runWorlds({ seed: 22, worlds: 2, ms: 60_000, onWorld })
  const alone = await runOne(23, {})
  assert.ok(alone.events > 1000 && alone.counts.warm > 0, JSON.stringify(alone.counts))
  assert.deepEqual(hashes, [alone.hash])
})

test('worlds that once failed do not fail any more', patient, async () => {
  for (const { seed, reduction } of kept) {
    const world = await runOne(seed, reduction)
    assert.deepEqual(world.findings, [], hint(world, ` --reduction '${JSON.stringify(reduction)}'`))
  }
})

for (const [name, seed, ahead] of [
  ['the same', 1, false],
  ['new', Math.floor(Math.random() * 1e9), false],
  ['new, with questions asked ahead', Math.floor(Math.random() * 1e9), true],
] as const)
  test(
    `in worlds that are ${name}, from seed ${seed} on, nothing that must not happen happens`,
    patient,
    async (context) => {
      let worlds = 0
      let claimed = 0
      const onWorld = ({ counts }: ReportedWorld) => {
        worlds++
        claimed += counts.claimed
      }
      const found = await runWorlds({ seed, ms: 4500, reduction: { ahead }, onWorld })
      context.diagnostic(`${worlds} worlds from seed ${seed} on, ${claimed} answers that were asked ahead`)
      assert.equal(found, undefined, found === undefined ? '' : hint(found, ahead ? ' --ahead' : ''))
      assert.ok(worlds > 0)
    },
  )

test('when a mail server with many clients restarts, all clients are served', patient, async (context) => {
  const seeds = { 'the same': 1, new: Math.floor(Math.random() * 1e9) }
  for (const [name, seed] of Object.entries(seeds)) {
    let worlds = 0
    const onWorld = () => void worlds++
    const found = await runWorlds({ seed, ms: 2500, reduction: { restart: 100 }, onWorld })
    context.diagnostic(`${worlds} worlds that are ${name}, from seed ${seed} on`)
    assert.equal(found, undefined, found === undefined ? '' : hint(found, ' --restart 100'))
    assert.ok(worlds > 0)
  }
})

test('every planted fault can be planted', () => {
  for (const { file, find } of mutants) {
    const text = readFileSync(new URL(`../src/${file}`, import.meta.url), 'utf8')
    assert.equal(text.split(find).length, 2, `${file}: ${find}`)
  }
})

test(
  'clients get answers that were asked ahead, some of them wider or behind a barrier',
  patient,
  async () => {
    let claimed = 0
    let behindBarriers = 0
    let wider = 0
    const onWorld = ({ counts }: ReportedWorld) => {
      claimed += counts.claimed
      behindBarriers += counts.behindBarriers
      wider += counts.wider
    }
    await runWorlds({ seed: 1, worlds: 3, ms: 60_000, reduction: { ahead: true }, onWorld })
    assert.ok(claimed > 0)
    assert.ok(behindBarriers > 0)
    assert.ok(wider > 0)
  },
)
