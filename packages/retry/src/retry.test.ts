import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Backoff, pause, retry } from './retry.ts'

const quick = { firstMs: 0, lastMs: 0 }
const failing = (failures: number) => {
  const asked = { count: 0 }
  const attempt = () => {
    asked.count += 1
    return asked.count <= failures ? Promise.reject(new Error(`no ${asked.count}`)) : Promise.resolve('yes')
  }
  return { asked, attempt }
}

test('pauses double up to the longest one, and start again after a success', () => {
  const backoff = new Backoff({ firstMs: 100, lastMs: 500, random: () => 1 })
  assert.deepEqual(
    [backoff.nextMs(), backoff.nextMs(), backoff.nextMs(), backoff.nextMs()],
    [100, 200, 400, 500],
  )
  backoff.reset()
  assert.equal(backoff.nextMs(), 100)
})

test('jitter shortens a pause by half at most', () => {
  const least = new Backoff({ firstMs: 100, lastMs: 100, random: () => 0 })
  assert.equal(least.nextMs(), 50)
  const usual = new Backoff({ firstMs: 100, lastMs: 100 })
  const lengths = Array.from({ length: 50 }, () => usual.nextMs())
  assert.ok(lengths.every((ms) => ms >= 50 && ms <= 100))
  assert.ok(new Set(lengths).size > 1, 'they differ')
})

test('a thousand failures do not make a pause endless or zero', () => {
  const backoff = new Backoff({ firstMs: 1, lastMs: 5_000, random: () => 1 })
  for (let failure = 0; failure < 2_000; failure += 1) backoff.nextMs()
  assert.equal(backoff.nextMs(), 5_000)
})

test('attempts end with the first success', async () => {
  const { asked, attempt } = failing(2)
  assert.equal(await retry(attempt, quick), 'yes')
  assert.equal(asked.count, 3)
})

test('the last error is thrown when the attempts are used up, and at once if it is final', async () => {
  const limited = failing(9)
  await assert.rejects(retry(limited.attempt, { ...quick, attemptsMax: 3 }), /no 3/)
  assert.equal(limited.asked.count, 3)
  const final = failing(9)
  await assert.rejects(retry(final.attempt, { ...quick, isPassing: () => false }), /no 1/)
  assert.equal(final.asked.count, 1)
})

test('an aborted signal ends a pause and the attempts', async () => {
  const stop = new AbortController()
  const { asked, attempt } = failing(9)
  const options = { firstMs: 60_000, lastMs: 60_000, signal: stop.signal, onFailure: () => stop.abort() }
  await assert.rejects(retry(attempt, options), /no 1/)
  assert.equal(asked.count, 1)
  await pause(60_000, stop.signal)
})
