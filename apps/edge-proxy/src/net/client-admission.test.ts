import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { ClientAdmission } from './client-admission.ts'

const limits = { connectionsMax: 3, connectionsPerAddressMax: 2 }

test('clients are limited in total and per address', () => {
  const admission = new ClientAdmission()
  const enter = (address: string) => admission.enter(() => address, limits)
  const leave = enter('a')
  assert.ok(typeof leave === 'function')
  assert.ok(typeof enter('a') === 'function')
  assert.equal(enter('a'), 'too-many-from-address')
  assert.ok(typeof enter('b') === 'function')
  assert.equal(enter('c'), 'too-many-clients')
  assert.equal(admission.total, 3)
  leave()
  assert.ok(typeof enter('a') === 'function')
})

test('without a limit per address, the address is not asked for', () => {
  const admission = new ClientAdmission()
  const ask = () => assert.fail('asked for the address')
  const leave = admission.enter(ask, { ...limits, connectionsPerAddressMax: 0 })
  assert.ok(typeof leave === 'function')
  leave()
  assert.equal(admission.total, 0)
})

test('the counts are right after any sequence of arrivals and departures, also while the limits change', () => {
  const step = fc.tuple(fc.constantFrom('a', 'b', 'c'), fc.boolean(), fc.constantFrom(0, 1, 2))
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const admission = new ClientAdmission()
      const inside: [string, () => void][] = []
      for (const [address, isComing, connectionsPerAddressMax] of steps) {
        if (!isComing) inside.shift()?.[1]()
        else {
          const entry = admission.enter(() => address, { connectionsMax: 4, connectionsPerAddressMax })
          if (typeof entry === 'function') inside.push([address, entry])
        }
        assert.equal(admission.total, inside.length)
      }
      for (const [, leave] of inside) leave()
      for (const address of ['a', 'b', 'c', 'd'])
        assert.ok(
          typeof admission.enter(() => address, { connectionsMax: 4, connectionsPerAddressMax: 1 }) ===
            'function',
        )
    }),
    { seed: 22, numRuns: 500 },
  )
})
