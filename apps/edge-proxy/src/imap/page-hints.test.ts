import assert from 'node:assert/strict'
import { test } from 'node:test'
import { pageHintsIn, withoutPageHints } from './page-hints.ts'

test('page hints are read from an ID, in the form of command arguments', () => {
  const hints = pageHintsIn([
    [['name', 'Roundcube']],
    [
      ['x-page', 'show'],
      ['X-Page-Mailbox', 'My "own" \\ mail'],
      ['x-page-uid', '31'],
      ['x-page-search', 'invoice'],
      ['x-page-number', '2'],
    ],
  ])
  assert.deepEqual(Object.fromEntries(hints), {
    page: 'show',
    mailbox: '"My \\"own\\" \\\\ mail"',
    uid: '31',
    search: 'invoice',
    number: '2',
  })
})

test('an invalid value is ignored', () => {
  for (const [field, value] of [
    ['x-page', 'Show'],
    ['x-page', 'a'.repeat(25)],
    ['x-page', 'a b'],
    ['x-page-uid', '0'],
    ['x-page-uid', '1:*'],
    ['x-page-uid', '31 (BODY[])'],
    ['x-page-number', '-1'],
    ['x-page-number', '123456'],
    ['x-page-mailbox', ''],
    ['x-page-mailbox', 'x'.repeat(201)],
    ['x-page-search', undefined],
    ['x-page-other', 'x'],
    ['x-pages', 'show'],
  ] as const)
    assert.equal(pageHintsIn([[[field, value]]]).size, 0, `${field} ${value}`)
})

test('page hints are removed from an ID for servers, and an ID that had only hints is not sent', () => {
  assert.deepEqual(
    withoutPageHints([
      ['name', 'x'],
      ['x-page', 'show'],
      ['X-PAGE-UID', '1'],
    ]),
    [['name', 'x']],
  )
  assert.equal(withoutPageHints([['x-page', 'show']]), undefined)
  assert.deepEqual(withoutPageHints([]), [])
  assert.deepEqual(withoutPageHints([['x-page-other', 'x']]), [['x-page-other', 'x']])
})
