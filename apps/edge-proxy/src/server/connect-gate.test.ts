import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectGate } from './connect-gate.ts'

const never = new AbortController().signal
const first = { host: 'mail', address: '192.0.2.1' }
const second = { host: 'mail', address: '192.0.2.2' }

test('attempts beyond the limit enter in order of arrival, one for each attempt that leaves', async () => {
  const gate = new ConnectGate()
  assert.deepEqual([gate.enter(first, 2, never), gate.enter(first, 2, never)], [true, true])
  const entered: number[] = []
  const later = [1, 2, 3].map(async (number) => {
    if (await gate.enter(first, 2, never)) entered.push(number)
  })
  assert.equal(gate.waiting, 3)
  gate.leave(first)
  await later[0]
  assert.deepEqual(entered, [1])
  gate.leave(first)
  gate.leave(first)
  await Promise.all(later)
  assert.deepEqual(entered, [1, 2, 3])
  assert.equal(gate.waiting, 0)
})

test('an attempt that is abandoned while it waits gets no turn', async () => {
  const gate = new ConnectGate()
  assert.equal(gate.enter(first, 1, never), true)
  const client = new AbortController()
  const abandoned = gate.enter(first, 1, client.signal)
  const next = gate.enter(first, 1, never)
  client.abort()
  assert.equal(await abandoned, false)
  gate.leave(first)
  assert.equal(await next, true)
  gate.leave(first)
  assert.equal(gate.enter(first, 1, client.signal), false, 'abandoned before')
  assert.equal(gate.enter(first, 1, never), true, 'all turns are free again')
})

test('attempts at one address do not wait for those at another one', async () => {
  const gate = new ConnectGate()
  assert.equal(gate.enter(first, 1, never), true)
  const waiting = gate.enter(first, 1, never)
  assert.equal(gate.enter(second, 1, never), true)
  assert.equal(gate.waiting, 1)
  gate.leave(second)
  assert.equal(gate.waiting, 1)
  gate.leave(first)
  assert.equal(await waiting, true)
})
