import assert from 'node:assert/strict'
import { test } from 'node:test'
import { wire } from '../imap/cuts.test-support.ts'
import { commandHead } from '../imap/verb.ts'
import { mayChangeMailbox, record, selectionKey, type Recording } from './select-cache.ts'

function headOf(line: string) {
  const bytes = wire(`${line}\r\n`)
  return { bytes, lineFeed: bytes.length - 1, ...commandHead(bytes, 0, bytes.length - 1) }
}

function keyOf(line: string): string | undefined {
  const { verb, bytes, verbEnd, lineFeed } = headOf(line)
  return selectionKey(verb, bytes, verbEnd, lineFeed)
}

function changes(line: string): boolean {
  const { verb, bytes, lineFeed } = headOf(line)
  return mayChangeMailbox(verb, bytes, 0, lineFeed)
}

test('only a plain SELECT or EXAMINE can be answered from memory', () => {
  assert.equal(keyOf('a SELECT INBOX'), 'SELECT INBOX')
  assert.equal(keyOf('a examine "Sent Items"'), 'EXAMINE "Sent Items"')
  assert.equal(keyOf('a SELECT "a\\"b"'), 'SELECT "a\\"b"')
  assert.notEqual(keyOf('a SELECT INBOX'), keyOf('b EXAMINE INBOX'))
  for (const line of [
    'a SELECT INBOX (CONDSTORE)',
    'a SELECT "INBOX" (QRESYNC (1 2))',
    'a SELECT {5}',
    'a SELECT "a" "b"',
    'a SELECT "open',
    'a SELECT',
    'a SELECT a b',
    'a STATUS INBOX (MESSAGES)',
    'a FETCH 1 FLAGS',
  ])
    assert.equal(keyOf(line), undefined, line)
})

test('whatever may change what a SELECT would say is known as such, in doubt too', () => {
  for (const line of [
    'a STORE 1 +FLAGS (\\Deleted)',
    'a UID STORE 1 FLAGS ()',
    'a EXPUNGE',
    'a UID EXPUNGE 1',
    'a CLOSE',
    'a UNSELECT',
    'a APPEND INBOX {5}',
    'a COPY 1 INBOX',
    'a UID MOVE 1 x',
    'a DELETE INBOX',
    'a FETCH 1 BODY[]',
    'a UID FETCH 1 (body[text])',
    'a FETCH 1 RFC822',
    'a FETCH 1 BINARY[1]',
    'a XUNKNOWN',
  ])
    assert.equal(changes(line), true, line)
  for (const line of [
    'a NOOP',
    'a IDLE',
    'a LIST "" *',
    'a STATUS INBOX (MESSAGES)',
    'a SEARCH ALL',
    'a UID SEARCH DELETED',
    'a UID SORT (DATE) UTF-8 ALL',
    'a FETCH 1 (FLAGS BODY.PEEK[])',
    'a UID FETCH 1:* (UID FLAGS)',
  ])
    assert.equal(changes(line), false, line)
})

test('an answer is written down as it was, but nothing is recent twice', () => {
  const recording: Recording = { key: 'SELECT INBOX', lines: [], bytes: 0 }
  for (const line of ['* 3 EXISTS\r\n', '* 3 RECENT\r\n', '* OK [UIDNEXT 4] x\r\n'])
    assert.equal(record(recording, line), true)
  assert.deepEqual(recording.lines, ['* 3 EXISTS\r\n', '* 0 RECENT\r\n', '* OK [UIDNEXT 4] x\r\n'])
})

test('an answer that is too long or holds a literal is not remembered', () => {
  const recording = (): Recording => ({ key: 'SELECT INBOX', lines: [], bytes: 0 })
  assert.equal(record(recording(), '* LIST () "/" {5}\r\n'), false)
  const long = recording()
  const line = `* OK ${'x'.repeat(1000)}\r\n`
  let accepted = 0
  while (record(long, line)) accepted++
  assert.ok(accepted > 10 && accepted * line.length <= 32_768)
})
