import assert from 'node:assert/strict'
import { test } from 'node:test'
import { InvalidArgumentError } from 'commander'
import { durationArgument, momentArgument, sizeArgument, wholeArgument } from './options.ts'

test('options become values of the API', () => {
  assert.equal(durationArgument('1h30m'), 5_400_000)
  assert.equal(momentArgument('-1h30m'), '-5400s')
  assert.equal(momentArgument('now'), 'now')
  assert.equal(momentArgument('2026-03-01T10:00:00Z'), '2026-03-01T10:00:00Z')
  assert.equal(wholeArgument(1)('20'), 20)
  assert.deepEqual(['512', '64k', '16M', '1G'].map(sizeArgument), [512, 65_536, 16_777_216, 1_073_741_824])
})

test('any other value is wrong usage, with an example of a right one', () => {
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
