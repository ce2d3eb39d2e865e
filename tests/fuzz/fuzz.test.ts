/** Twenty seconds of fuzzing with a fixed seed, and a check that a seed repeats its choices. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from './fuzz.ts'
import { mutate, Random } from './random.ts'

test('after 20 s of wild clients and a wild server, the edge runs, and no data has reached another user', async () => {
  const { rounds, finding, aheadUsed } = await fuzz({ seconds: 20, seed: 20_261_122 })
  assert.equal(finding?.seen, undefined, `again with --seed ${finding?.seed}`)
  assert.ok(rounds > 3, `only ${rounds} rounds were played`)
  assert.ok(aheadUsed > 0, 'nothing was asked ahead')
})

test('the same seed makes the same choices', () => {
  const say = () => mutate(new Random(7), 'a1 APPEND INBOX {5+}\r\nhello\r\n'.repeat(5))
  assert.equal(say(), say())
})
