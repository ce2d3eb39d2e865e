import assert from 'node:assert/strict'
import { test } from 'node:test'
import { readIdentity } from './identity.ts'

const names = { issuer: 'https://idp.example/realm', nameClaim: 'email', groupsClaim: 'groups' }
const ann = { sub: '1', email: 'ann@example.org', email_verified: true, groups: ['a', 'b'] }
const refused = (claims: object, message: RegExp, more = {}) =>
  assert.throws(
    () => readIdentity({ ...ann, ...claims }, { ...names, ...more }),
    { code: 'identity_invalid', message },
    JSON.stringify(claims).slice(0, 200),
  )

test('a person is the issuer and the subject, with a name and groups', () => {
  assert.deepEqual(readIdentity(ann, names), {
    key: 'https://idp.example/realm 1',
    name: 'ann@example.org',
    groups: ['a', 'b'],
  })
})

test('a mail address counts only if the provider has verified it', () => {
  for (const email_verified of [undefined, false, null, 'true', 1])
    refused({ email_verified }, /has not verified/)
  const byName = { nameClaim: 'preferred_username' }
  const unverified = { ...ann, email_verified: false, preferred_username: 'ann' }
  assert.equal(readIdentity(unverified, { ...names, ...byName }).name, 'ann@idp.example')
  // Nor does an unverified address give rights as a group.
  refused({ ...unverified }, /has not verified/, { ...byName, groupsClaim: 'email' })
  assert.deepEqual(readIdentity(ann, { ...names, groupsClaim: 'email' }).groups, ['ann@example.org'])
})

test('a name without @ gets the host of the issuer, so that it differs from the names of tokens', () => {
  const of = (name: string) => readIdentity({ ...ann, login: name }, { ...names, nameClaim: 'login' }).name
  assert.equal(of('imapfleet-control'), 'imapfleet-control@idp.example')
  assert.equal(of('jürgen'), 'jürgen@idp.example')
})

test('a name with invisible characters, or one that cannot be stored, is refused', () => {
  for (const email of [
    undefined,
    '',
    5,
    ['ann@example.org'],
    'ann @example.org',
    'ann\n@example.org',
    'ann\0@example.org',
    'ann\u200b@example.org',
    'ann\u202e@example.org',
    'ann\ud800@example.org',
    `${'a'.repeat(200)}@example.org`,
  ])
    refused({ email }, /no usable name/)
})

test('a subject is a text', () => {
  for (const sub of [undefined, '', 5, {}, 'x'.repeat(300), 'a\0', '\ud800'])
    refused({ sub }, /no usable subject/)
})

test('groups of another shape are refused, and none are none', () => {
  for (const groups of [5, true, null, {}, { a: 1 }, [5], ['a', null], [['a']], ['a', { length: 1 }]])
    refused({ groups }, /is not a list of names/)
  assert.deepEqual(readIdentity({ ...ann, groups: undefined }, names).groups, [])
  assert.deepEqual(readIdentity({ ...ann, groups: [] }, names).groups, [])
  assert.deepEqual(readIdentity({ ...ann, hd: 'example.org' }, { ...names, groupsClaim: 'hd' }).groups, [
    'example.org',
  ])
})

test('inherited properties are not claims', () => {
  refused({}, /no usable name/, { nameClaim: 'constructor' })
  assert.deepEqual(readIdentity(ann, { ...names, groupsClaim: 'toString' }).groups, [])
})

test('a list of groups that the provider left out is an error, and 10,000 groups are accepted', () => {
  refused({ groups: undefined, _claim_names: { groups: 'src1' } }, /left out your groups/)
  const many = Array.from({ length: 10_000 }, (_, index) => `group-${index}`)
  assert.equal(readIdentity({ ...ann, groups: many }, names).groups.length, 10_000)
})
