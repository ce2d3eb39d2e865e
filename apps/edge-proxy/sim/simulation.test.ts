/** A short simulation with seeds that once failed, fixed ones, and new ones. `npm run sim` runs longer. */
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { runOne, runWorlds } from './run-worlds.ts'
import type { ReportedWorld } from './worlds.ts'

const kept = JSON.parse(readFileSync(new URL('kept-seeds.json', import.meta.url), 'utf8')) as number[]

const hint = ({ seed, findings }: ReportedWorld) =>
  `npm run sim -- --seed ${seed} shows: ${findings.join('; ')}`

/** Only a machine that is very busy needs so long. */
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
  for (const seed of kept) {
    const world = await runOne(seed, {})
    assert.deepEqual(world.findings, [], hint(world))
  }
})

for (const [name, seed] of [
  ['the same', 1],
  ['new', Math.floor(Math.random() * 1e9)],
] as const)
  test(
    `in ${name} worlds, from seed ${seed} on, nothing that must not happen happens`,
    patient,
    async (context) => {
      let worlds = 0
      const found = await runWorlds({ seed, ms: 6000, onWorld: () => worlds++ })
      context.diagnostic(`${worlds} worlds from seed ${seed} on`)
      assert.equal(found, undefined, found === undefined ? '' : hint(found))
      assert.ok(worlds > 0)
    },
  )
