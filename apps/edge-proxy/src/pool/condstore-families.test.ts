import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CondstoreFamilies } from './condstore-families.ts'

const webmail = { family: 'webmail' }
const other = { family: 'other' }

test('a family is known after its first session with CONDSTORE, only for that user', () => {
  const families = new CondstoreFamilies()
  families.note('joe', webmail, false)
  assert.equal(families.has('joe', webmail), false)
  families.note('joe', webmail, true)
  assert.equal(families.has('joe', webmail), true)
  assert.equal(families.has('joe', other), false)
  assert.equal(families.has('ann', webmail), false)
})

test('a family is forgotten after 100 sessions without CONDSTORE, and not before', () => {
  const families = new CondstoreFamilies()
  for (const _ of [1, 2]) {
    families.note('joe', webmail, true)
    for (let session = 1; session < 100; session++) families.note('joe', webmail, false)
    for (let session = 0; session < 50; session++) families.note('joe', other, false)
    assert.equal(families.has('joe', webmail), true)
  }
  families.note('joe', webmail, false)
  assert.equal(families.has('joe', webmail), false)
})

test('the numbers of users and families are limited, and the least recently used is forgotten', () => {
  const families = new CondstoreFamilies(2, 2)
  for (const family of ['a', 'b', 'a', 'c']) families.note('joe', { family }, true)
  assert.deepEqual(
    ['a', 'b', 'c'].map((family) => families.has('joe', { family })),
    [true, false, true],
  )
  for (const user of ['ann', 'joe', 'bob']) families.note(user, webmail, true)
  assert.deepEqual(
    ['joe', 'ann', 'bob'].map((user) => families.has(user, webmail)),
    [true, false, true],
  )
})

test('the fingerprint of a client is made only for users with a known family', () => {
  const families = new CondstoreFamilies()
  const unknown = {
    get family(): string {
      return assert.fail('the fingerprint was made')
    },
  }
  assert.equal(families.has('joe', unknown), false)
  families.note('joe', unknown, false)
  families.note('ann', webmail, true)
  assert.equal(families.has('joe', unknown), false)
  families.note('joe', unknown, false)
})
