import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import * as fc from 'fast-check'
import { ClientAdmission, Place, type Dismissal } from './client-admission.ts'

const limits = { connectionsMax: 3, connectionsPerAddressMax: 2 }

/** An admission whose clients are named by their addresses. */
function admissionOf() {
  const admission = new ClientAdmission()
  const dismissed: [string, Dismissal][] = []
  const enter = (address: string, { listener = 'imap', isLoggedIn = false, max = limits } = {}) => {
    const place = admission.enter(listener, () => address, max)
    if (typeof place === 'string') return place
    place.occupant = { dismiss: (why) => void dismissed.push([address, why]), cut() {} }
    if (isLoggedIn) admission.protect(place)
    return place
  }
  return { admission, enter, dismissed }
}

const placeOf = (result: ReturnType<ClientAdmission['enter']>): Place => {
  assert.ok(result instanceof Place, inspect(result))
  return result
}

test('clients are limited in total and per address', () => {
  const { admission, enter } = admissionOf()
  const first = placeOf(enter('a', { isLoggedIn: true }))
  placeOf(enter('a', { isLoggedIn: true }))
  assert.equal(enter('a'), 'too-many-from-address')
  placeOf(enter('b', { isLoggedIn: true }))
  assert.equal(enter('c'), 'too-many-clients')
  assert.equal(admission.total, 3)
  admission.leave(first)
  admission.leave(first)
  assert.equal(admission.total, 2)
  placeOf(enter('a'))
})

test('without a limit per address, the address is not read', () => {
  const admission = new ClientAdmission()
  const ask = () => assert.fail('asked for the address')
  const place = placeOf(admission.enter('imap', ask, { ...limits, connectionsPerAddressMax: 0 }))
  assert.ok(admission.identify(place, ask, { ...limits, connectionsPerAddressMax: 0 }))
  admission.leave(place)
  assert.equal(admission.total, 0)
})

test('the limit per address does not apply to a load balancer, but to the clients behind it', () => {
  const { admission, enter } = admissionOf()
  const max = { connectionsMax: 10, connectionsPerAddressMax: 1 }
  const behind = Array.from({ length: 3 }, () => placeOf(admission.enter('imap', undefined, max)))
  assert.equal(admission.total, 3)
  assert.ok(admission.identify(behind[0]!, () => 'a', max))
  assert.equal(
    admission.identify(behind[1]!, () => 'a', max),
    false,
  )
  assert.ok(admission.identify(behind[2]!, () => 'b', max))
  admission.leave(behind[1]!)
  assert.equal(enter('a', { max }), 'too-many-from-address')
  admission.leave(behind[0]!)
  placeOf(enter('a', { max }))
})

test('hosts of one IPv6 network of 64 bits are one address, and an IPv4-mapped address is IPv4', () => {
  const { enter } = admissionOf()
  const max = { connectionsMax: 10, connectionsPerAddressMax: 1 }
  for (const [first, second] of [
    ['2001:db8:0:7::1', '2001:db8:0:7:ffff::2'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
  ] as const) {
    placeOf(enter(first, { max }))
    assert.equal(enter(second, { max }), 'too-many-from-address')
  }
  placeOf(enter('2001:db8:0:8::1', { max }))
})

test('when all places are taken, the oldest client without a login on the most crowded listener is disconnected', () => {
  const { admission, enter, dismissed } = admissionOf()
  const max = { connectionsMax: 4, connectionsPerAddressMax: 0 }
  placeOf(enter('plain', { max }))
  for (const name of ['flood 1', 'flood 2', 'flood 3']) placeOf(enter(name, { listener: 'imaps', max }))
  placeOf(enter('web', { max, isLoggedIn: true }))
  assert.deepEqual(dismissed, [['flood 1', 'displaced']])
  assert.equal(admission.total, 4)
  placeOf(enter('web', { max, isLoggedIn: true }))
  assert.deepEqual(dismissed.at(-1), ['flood 2', 'displaced'])
})

test('a client that logs in, or has logged in, cannot lose its place, but a client whose login was refused can', () => {
  const { admission, enter, dismissed } = admissionOf()
  const max = { connectionsMax: 2, connectionsPerAddressMax: 0 }
  const [first, second] = [enter('first', { max }), enter('second', { max })].map(placeOf)
  admission.protect(first!)
  admission.protect(second!)
  assert.equal(enter('third', { max }), 'too-many-clients')
  admission.unprotect(second!)
  placeOf(enter('third', { max }))
  assert.deepEqual(dismissed, [['second', 'displaced']])
  // It has left already, so a late refusal of its login has no effect.
  admission.unprotect(second!)
  admission.leave(second!)
  assert.equal(admission.total, 2)
})

test('a client over the limit of its address does not displace another client', () => {
  const { enter, dismissed } = admissionOf()
  const max = { connectionsMax: 2, connectionsPerAddressMax: 1 }
  placeOf(enter('a', { max }))
  placeOf(enter('b', { max }))
  assert.equal(enter('a', { max }), 'too-many-from-address')
  assert.deepEqual(dismissed, [])
})

test('a client that is refused because all places are taken is not counted at its address', () => {
  const { admission, enter } = admissionOf()
  const max = { connectionsMax: 1, connectionsPerAddressMax: 1 }
  const first = placeOf(enter('a', { max, isLoggedIn: true }))
  assert.equal(enter('b', { max }), 'too-many-clients')
  admission.leave(first)
  placeOf(enter('b', { max }))
})

test('the counts are right after any sequence of arrivals, logins and departures, also while the limits change', () => {
  const step = fc.tuple(
    fc.constantFrom('a', 'b', 'c'),
    fc.constantFrom('come', 'log in', 'be refused', 'leave'),
    fc.constantFrom(0, 1, 2),
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const { admission } = admissionOf()
      const inside = new Set<Place>()
      for (const [address, what, connectionsPerAddressMax] of steps) {
        const [oldest] = inside
        if (what === 'come') {
          const place = admission.enter(address, () => address, {
            connectionsMax: 4,
            connectionsPerAddressMax,
          })
          if (place instanceof Place) {
            place.occupant = { dismiss: () => void inside.delete(place), cut() {} }
            inside.add(place)
          }
        } else if (oldest && what === 'leave') {
          inside.delete(oldest)
          admission.leave(oldest)
        } else if (oldest && what === 'log in') admission.protect(oldest)
        else if (oldest) admission.unprotect(oldest)
        assert.equal(admission.total, inside.size)
        assert.ok(admission.total <= 4 && admission.peak <= 4)
      }
      for (const place of inside) admission.leave(place)
      for (const address of ['a', 'b', 'c', 'd'])
        placeOf(admission.enter('imap', () => address, { connectionsMax: 4, connectionsPerAddressMax: 1 }))
    }),
    { seed: 22, numRuns: 500 },
  )
})
