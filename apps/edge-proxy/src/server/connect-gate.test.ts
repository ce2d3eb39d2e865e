import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConnectGate } from './connect-gate.ts'

const never = new AbortController().signal

test('attempts beyond the limit enter in the order of their arrival, one for each that leaves', async () => {
  const gate = new ConnectGate()
  assert.deepEqual([gate.enter(2, never), gate.enter(2, never)], [true, true])
  const entered: number[] = []
  const later = [1, 2, 3].map(async (number) => {
    if (await gate.enter(2, never)) entered.push(number)
  })
  assert.equal(gate.waiting, 3)
  gate.leave()
  await later[0]
  assert.deepEqual(entered, [1])
  gate.leave()
  gate.leave()
  await Promise.all(later)
  assert.deepEqual(entered, [1, 2, 3])
  assert.equal(gate.waiting, 0)
})

test('an attempt that is abandoned while it waits takes no turn', async () => {
  const gate = new ConnectGate()
  assert.equal(gate.enter(1, never), true)
  const client = new AbortController()
  const abandoned = gate.enter(1, client.signal)
  const next = gate.enter(1, never)
  client.abort()
  assert.equal(await abandoned, false)
  gate.leave()
  assert.equal(await next, true)
  gate.leave()
  assert.equal(gate.enter(1, client.signal), false, 'abandoned before')
  assert.equal(gate.enter(1, never), true, 'all turns are free again')
})
