/** The checker finds pages that cannot have been true, and none that can. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MailboxHistory } from './mailbox-history.ts'

const mail = { uid: 7, subject: 'Report about seven', isSeen: false, isFlagged: false }
const row = { ...mail, hasAttachment: false }
const always = { from: 0, to: 0 }
const during = (from: number, to: number) => ({ from, to })

function historyOfSeven(): MailboxHistory {
  const history = new MailboxHistory()
  history.add('INBOX', mail, always)
  return history
}

test('a list of what was there has no fault', () => {
  const history = historyOfSeven()
  assert.deepEqual(history.faultsOfRows('INBOX', [row], during(1, 2)), [])
  assert.deepEqual(history.missingOf('INBOX', [row], during(1, 2)), [])
})

test('a mail of another folder, another subject and a missing mail are faults', () => {
  const history = historyOfSeven()
  assert.deepEqual(history.faultsOfRows('Sent', [row], during(1, 2)), ['7 in Sent has never existed'])
  assert.deepEqual(history.faultsOfRows('INBOX', [{ ...row, subject: 'Other' }], during(1, 2)), [
    '7 in INBOX is "Report about seven", not "Other"',
  ])
  assert.deepEqual(history.missingOf('INBOX', [], during(1, 2)), ['7 in INBOX is missing'])
})

test('a flag is shown as it was before or after a change that happened meanwhile', () => {
  const history = historyOfSeven()
  history.change('INBOX', 7, 'isSeen', true, during(10, 12))
  const faults = (isSeen: boolean, from: number, to: number) =>
    history.faultsOfRows('INBOX', [{ ...row, isSeen }], during(from, to))
  assert.deepEqual(faults(false, 1, 9), [])
  assert.equal(faults(true, 1, 9).length, 1)
  assert.deepEqual(faults(false, 5, 11), [])
  assert.deepEqual(faults(true, 5, 11), [])
  assert.deepEqual(faults(true, 13, 14), [])
  assert.deepEqual(faults(false, 13, 14), [
    '7 in INBOX: isSeen cannot have been false (false from -13 to -13, true from -3 to -1; the page to 1)',
  ])
})

test('of two changes at the same time, either may be the last', () => {
  const history = historyOfSeven()
  history.change('INBOX', 7, 'isSeen', true, during(10, 20))
  history.change('INBOX', 7, 'isSeen', false, during(12, 14))
  for (const isSeen of [true, false])
    assert.deepEqual(history.faultsOfRows('INBOX', [{ ...row, isSeen }], during(30, 31)), [])
})

test('a removed mail is shown only by a page that began before', () => {
  const history = historyOfSeven()
  history.remove('INBOX', 7, during(10, 12))
  assert.deepEqual(history.faultsOfRows('INBOX', [row], during(5, 11)), [])
  assert.deepEqual(history.missingOf('INBOX', [], during(5, 11)), [])
  assert.deepEqual(history.faultsOfRows('INBOX', [row], during(13, 14)), ['7 in INBOX was removed before'])
})

test('a mail that was appended later is not shown before', () => {
  const history = new MailboxHistory()
  history.add('INBOX', mail, during(10, 12))
  assert.deepEqual(history.faultsOfRows('INBOX', [row], during(1, 9)), ['7 in INBOX did not exist yet'])
  assert.deepEqual(history.faultsOfRows('INBOX', [row], during(1, 11)), [])
})

test('a change counts for all the time in which it may have happened', () => {
  const history = historyOfSeven()
  history.change('INBOX', 7, 'isFlagged', true, during(10, 12))
  const spans = [during(1, 9), during(1, 10), during(11, 11), during(12, 20), during(13, 20)]
  assert.deepEqual(
    spans.map((span) => history.hasChanged('INBOX', 7, span)),
    [false, true, true, true, false],
  )
  assert.equal(history.hasChanged('Sent', 7, during(1, 20)), false)
})
