import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strongTagsOf } from './if-match.ts'

test('a list has its strong tags; a weak tag can never match', () => {
  const lists: [string, string[]][] = [
    ['"17"', ['17']],
    ['  "17"\t', ['17']],
    ['"17", "18"', ['17', '18']],
    ['"17","18" ,, "19",', ['17', '18', '19']],
    ['W/"17"', []],
    ['W/"17", "18"', ['18']],
    ['"a,b", "c"', ['a,b', 'c']],
    ['""', ['']],
    ['"W/"', ['W/']],
  ]
  for (const [header, tags] of lists) assert.deepEqual(strongTagsOf(header), tags, header)
})

test('without the header, and with *, every state will do', () => {
  for (const header of [undefined, '*', ' * ']) assert.equal(strongTagsOf(header), undefined)
})

test('anything else is refused', () => {
  for (const header of [
    '',
    '17',
    '"17',
    '17"',
    '"1"7"',
    '"17" "18"',
    '*, "17"',
    '"17", *',
    'w/"17"',
    'W/17',
    'W/ "17"',
    '"1 7"',
    ',',
  ])
    assert.throws(() => strongTagsOf(header), { code: 'request_invalid' }, header)
})

test('a long header is judged in time that grows with its length', () => {
  const long = `${'"a",'.repeat(50_000)}x`
  const startedAt = performance.now()
  assert.throws(() => strongTagsOf(long))
  assert.throws(() => strongTagsOf(`"a"${' ,'.repeat(50_000)}x`))
  assert.ok(performance.now() - startedAt < 1_000)
})
