import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fleetTargetText } from '@imapfleet/api'
import { Command, InvalidArgumentError } from 'commander'
import {
  durationArgument,
  durationOption,
  resolvedMoment,
  momentArgument,
  namedTarget,
  rolloutOf,
  rolloutOptions,
  sizeArgument,
  targetOf,
  wholeArgument,
  type RolloutOptions,
} from './options.ts'

test('options become values of the API', () => {
  assert.equal(durationArgument('1h30m'), 5_400_000)
  assert.equal(momentArgument('-1h30m'), '-5400s')
  assert.equal(momentArgument('now'), 'now')
  assert.equal(momentArgument('2026-03-01T10:00:00Z'), '2026-03-01T10:00:00Z')
  assert.deepEqual(
    ['now', '-5400s', '2026-03-01', '2026-03-01T10:00:00+01:00'].map((moment) =>
      resolvedMoment(moment, Date.UTC(2026, 1, 1)),
    ),
    [
      '2026-02-01T00:00:00.000Z',
      '2026-01-31T22:30:00.000Z',
      '2026-03-01T00:00:00.000Z',
      '2026-03-01T09:00:00.000Z',
    ],
  )
  assert.equal(wholeArgument(1)('20'), 20)
  assert.deepEqual(['512', '64k', '16M', '1G'].map(sizeArgument), [512, 65_536, 16_777_216, 1_073_741_824])
})

test('the help shows the default of a duration as a duration, and its value is milliseconds', () => {
  const command = new Command().addOption(durationOption('--timeout <duration>', 'how long to wait', '1h30m'))
  assert.match(command.helpInformation(), /how long to wait \(default: 1h30m\)/)
  assert.equal(command.parse([], { from: 'user' }).opts()['timeout'], 5_400_000)
  assert.equal(command.parse(['--timeout', '2s'], { from: 'user' }).opts()['timeout'], 2_000)
})

test('any other value is wrong usage, with an example of a valid one', () => {
  const wrong: [(text: string) => unknown, string][] = [
    [durationArgument, '10'],
    [momentArgument, 'yesterday'],
    [momentArgument, '1h'],
    [wholeArgument(1), '0'],
    [wholeArgument(0), '1.5'],
    [wholeArgument(0), '-1'],
    [sizeArgument, '16T'],
    [sizeArgument, ''],
  ]
  for (const [parse, text] of wrong)
    assert.throws(
      () => parse(text),
      (error) => error instanceof InvalidArgumentError && error.message.startsWith('Use '),
      text,
    )
})

test('a command is for all edges unless it names a region or an edge', () => {
  assert.equal(fleetTargetText(targetOf({})), 'all')
  assert.equal(fleetTargetText(targetOf({ all: true })), 'all')
  assert.equal(fleetTargetText(targetOf({ region: 'eu' })), 'region/eu')
  assert.equal(fleetTargetText(targetOf({ edge: 'eu-1' })), 'edge/eu-1')
  assert.equal(namedTarget({}), undefined)
})

test('two targets are wrong usage', () => {
  for (const options of [
    { all: true, region: 'eu' },
    { region: 'eu', edge: 'eu-1' },
    { all: true, edge: 'eu-1' },
  ] as const)
    assert.throws(() => targetOf(options), { kind: 'usage' })
})

const parse = (...words: string[]) => {
  const command = rolloutOptions(new Command())
    .exitOverride()
    .configureOutput({ writeErr: () => undefined })
  return rolloutOf(command.parse(words, { from: 'user' }).opts<RolloutOptions>())
}

test('the server sets options that are left out', () => {
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
