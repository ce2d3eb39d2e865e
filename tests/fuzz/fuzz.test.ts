/** Twenty seconds of fuzzing with a fixed seed, and the proof that the fuzz would tell. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fuzz } from './fuzz.ts'
import { mutate, Random } from './random.ts'

test('nothing that wild clients and a wild server send in 20 s ends the edge or reaches somebody else', async () => {
  const { rounds, finding } = await fuzz({ seconds: 20, seed: 20_261_122 })
  assert.equal(finding?.seen, undefined, `again with --seed ${finding?.seed}`)
  assert.ok(rounds > 3, `only ${rounds} rounds were played`)
})

test('the same seed makes the same choices', () => {
  const say = () => mutate(new Random(7), 'a1 APPEND INBOX {5+}\r\nhello\r\n'.repeat(5))
  assert.equal(say(), say())
})
