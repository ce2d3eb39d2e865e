import assert from 'node:assert/strict'
import { test } from 'node:test'
import { extentText } from './words.ts'

const none = (names: string) => names.split(' ').map((region) => ({ region, edges: 0, of: 2 }))

test('the extent of an alert names the regions with and without the problem', () => {
  const eu = { region: 'eu', edges: 3, of: 3 }
  assert.equal(extentText([eu, ...none('us')]), 'eu: 3 of 3 edges, us: none of 2')
  assert.equal(extentText([eu, ...none('a b c d')]), 'eu: 3 of 3 edges, 4 other regions: none')
  assert.equal(extentText([]), '')
})
