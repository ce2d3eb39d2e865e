import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sessionColour } from './session-colour.ts'

test('a session keeps its colour, and consecutive sessions have different colours', () => {
  assert.equal(sessionColour('928646-hv'), sessionColour('928646-hv'))
  const colours = ['928646-hv', '928646-hw', '928646-hx'].map(sessionColour)
  assert.equal(new Set(colours).size, 3)
  for (const colour of [...colours, sessionColour('')]) assert.ok(colour >= 1 && colour <= 8)
})
