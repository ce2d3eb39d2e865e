import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fleetTargetText } from '@imapfleet/api'
import { namedTarget, targetOf } from './fleet-target.ts'

test('a command is for all edges unless it names a region or an edge', () => {
  assert.equal(fleetTargetText(targetOf({})), 'all')
  assert.equal(fleetTargetText(targetOf({ all: true })), 'all')
  assert.equal(fleetTargetText(targetOf({ region: 'eu' })), 'region/eu')
  assert.equal(fleetTargetText(targetOf({ edge: 'eu-1' })), 'edge/eu-1')
  assert.equal(namedTarget({}), undefined)
})

test('two targets are wrong usage', () => {
  for (const options of [
    { all: true, region: 'eu' },
    { region: 'eu', edge: 'eu-1' },
    { all: true, edge: 'eu-1' },
  ] as const)
    assert.throws(() => targetOf(options), { kind: 'usage' })
})
