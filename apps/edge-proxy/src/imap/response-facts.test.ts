import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from './cuts.test-support.ts'
import { carriesCapabilities, reportsMailboxChange } from './response-facts.ts'

test('a response that reports a change of the selected mailbox is recognized', () => {
  for (const line of [
    '3 EXISTS',
    '1 expunge',
    '0 RECENT',
    'VANISHED 1:5',
    'FLAGS (\\Seen)',
    'OK [UIDNEXT 9] x',
  ])
    assert.equal(reportsMailboxChange(wire(`* ${line}\r\n`), 2, true), true, line)
  for (const line of ['SEARCH 1 2', 'STATUS x ()', 'OK still here', 'LIST () "/" EXISTS', 'CAPABILITY X'])
    assert.equal(reportsMailboxChange(wire(`* ${line}\r\n`), 2, true), false, line)
})

test('a FETCH response reports a change only if no command has asked for it', () => {
  const fetch = wire('* 1 FETCH (FLAGS (\\Seen))\r\n')
  assert.equal(reportsMailboxChange(fetch, 2, false), true)
  assert.equal(reportsMailboxChange(fetch, 2, true), false)
})

test('a status carries capabilities only in its code', () => {
  for (const status of ['OK [CAPABILITY X] hi', 'ok [capability X]', 'BYE [CAPABILITY X] bye'])
    assert.equal(carriesCapabilities(wire(status), 0, status.length), true, status)
  for (const status of ['OK', 'OK ', 'OK CAPABILITY X', 'OK [ALERT] [CAPABILITY X]', 'OK  [CAPABILITY X]'])
    assert.equal(carriesCapabilities(wire(status), 0, status.length), false, status)
})
