import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressGroup, networksContain, plainAddress } from './networks.ts'

test('an address matches a network that contains it, or the same address', () => {
  const networks = ['10.0.0.0/8', '192.0.2.7', '2001:db8::/32', '::1']
  for (const address of [
    '10.255.1.2',
    '192.0.2.7',
    '2001:db8:1::5',
    '::1',
    '::ffff:10.1.2.3',
    '::FFFF:192.0.2.7',
  ])
    assert.equal(networksContain(networks, address), true, address)
  for (const address of ['11.0.0.1', '192.0.2.8', '2001:db9::1', '::2', '::ffff:11.0.0.1', '127.0.0.1'])
    assert.equal(networksContain(networks, address), false, address)
})

test('an empty list contains no address, and a /0 contains every address of its family', () => {
  assert.equal(networksContain([], '127.0.0.1'), false)
  assert.equal(networksContain(['0.0.0.0/0'], '203.0.113.9'), true)
  assert.equal(networksContain(['::/0'], '2001:db8::1'), true)
})

test('an IPv4-mapped address is IPv4, in any notation', () => {
  for (const mapped of ['::ffff:192.0.2.7', '::FFFF:c000:207', '0:0:0:0:0:ffff:c000:207', '192.0.2.7'])
    assert.equal(plainAddress(mapped), '192.0.2.7', mapped)
  for (const other of ['2001:db8::1', '::1', '::', '1::ffff:c000:207', '::1:ffff:c000:207', ''])
    assert.equal(plainAddress(other), other)
  assert.equal(networksContain(['192.0.2.7'], '0:0:0:0:0:ffff:c000:207'), true)
})

test('IPv6 addresses are counted by their first 64 bits, IPv4 addresses one by one', () => {
  const groups = (...addresses: string[]) => new Set(addresses.map(addressGroup)).size
  assert.equal(groups('2001:db8:0:7::1', '2001:db8:0:7:ffff::', '2001:DB8:0:0007:1:2:3:4'), 1)
  assert.equal(groups('2001:db8:0:7::1', '2001:db8:0:8::1', '2001:db8::1'), 3)
  assert.equal(groups('fe80::1%eth0', 'fe80::2%eth1'), 1)
  assert.equal(groups('192.0.2.7', '::ffff:192.0.2.7', '0:0:0:0:0:ffff:c000:207'), 1)
  assert.equal(groups('192.0.2.7', '192.0.2.8', '::1'), 3)
})
