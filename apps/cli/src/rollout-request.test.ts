import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { rolloutOf, rolloutOptions, type RolloutOptions } from './rollout-request.ts'

const parse = (...words: string[]) => {
  const command = rolloutOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return rolloutOf(command.parse(words, { from: 'user' }).opts<RolloutOptions>())
}

test('options that are left out are left to the server', () => {
  assert.equal(parse(), undefined)
  assert.deepEqual(parse('--rollout'), {})
})

test('durations become seconds, percentages become shares, and lists become names', () => {
  const words = '--rollout --canary eu-1,us-1 --regions us,eu --soak 5m --silence 90s --error-percent 2.5'
  assert.deepEqual(parse(...words.split(' '), '--canary-percent', '10'), {
    canaryEdges: ['eu-1', 'us-1'],
    canaryPercent: 10,
    regions: ['us', 'eu'],
    soakSeconds: 300,
    silenceSeconds: 90,
    errorShareMax: 0.025,
  })
})

test('a canary without a rollout is wrong usage, and changes nothing', () => {
  assert.throws(() => parse('--canary', 'eu-1'), { kind: 'usage' })
  assert.throws(() => parse('--rollout', '--canary-percent', '101'), /from 0 to 100/)
  assert.throws(() => parse('--rollout', '--canary', 'eu-1,,us-1'), /commas/)
})
