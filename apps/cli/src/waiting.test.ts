import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NoAnswerError, ProblemError } from '@imapfleet/client'
import { waitFor } from './waiting.ts'

const unreachable = new NoAnswerError('network', 'away', { message: 'away' })
const details = { type: 'about:blank', title: 'No such edge', status: 404, code: 'edge_unknown' }
const isDone = (state: number) => state >= 3

test('the state is polled until it is final, and not again', async () => {
  let asked = 0
  const read = () => Promise.resolve((asked += 1))
  assert.equal(await waitFor(0, read, { isDone, timeoutMs: 60_000 }), 3)
  assert.equal(asked, 3)
})

test('a final state is not polled, and after the time limit the current state is returned', async () => {
  const read = () => Promise.reject(new Error('asked'))
  assert.equal(await waitFor(3, read, { isDone, timeoutMs: 60_000 }), 3)
  assert.equal(await waitFor(1, read, { isDone, timeoutMs: 0 }), 1)
})

test('a stop ends the waiting without another request', async () => {
  const stop = new AbortController()
  const read = () => {
    stop.abort()
    return Promise.resolve(1)
  }
  assert.equal(await waitFor(0, read, { isDone, timeoutMs: 60_000, signal: stop.signal }), 1)
})

test('an unreachable control plane is polled again, and one that refuses is not', async () => {
  let asked = 0
  const away = () => {
    asked += 1
    return asked === 1 ? Promise.reject(unreachable) : Promise.resolve(3)
  }
  assert.equal(await waitFor(0, away, { isDone, timeoutMs: 60_000 }), 3)
  const refused = () => Promise.reject(new ProblemError(details, 'http://127.0.0.1'))
  await assert.rejects(waitFor(0, refused, { isDone, timeoutMs: 60_000 }), { code: 'edge_unknown' })
})
