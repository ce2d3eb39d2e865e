import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { ownerOf } from './owner.ts'
import { contentTypeBehind, readResponse, rewriteEsearch, type Response } from './responses.ts'
import { commandOf } from './shapes.ts'

const read = (line: string): Response => readResponse(`${line}\r\n`)

test('responses are parsed as far as needed to match them', () => {
  assert.deepEqual(read('STATUS "a b" (MESSAGES 5 UIDNEXT 9)'), {
    kind: 'status',
    mailbox: 'a b',
    items: new Set(['MESSAGES', 'UIDNEXT']),
    messages: 5,
    uidNext: 9,
  })
  assert.deepEqual(read('STATUS {3}'), {
    kind: 'status',
    mailbox: undefined,
    items: new Set(),
    messages: undefined,
    uidNext: undefined,
  })
  assert.deepEqual(read('SEARCH 1 2'), { kind: 'search', uids: [1, 2] })
  // Without the end, the last number may be incomplete.
  assert.deepEqual(readResponse('SEARCH 1 2'), { kind: 'search', uids: undefined })
  assert.deepEqual(read('ESEARCH (TAG "x") UID ALL 1:3'), { kind: 'esearch', tag: 'x', all: [[1, 3]] })
  assert.deepEqual(read('ESEARCH (TAG "x") UID'), { kind: 'esearch', tag: 'x', all: [] })
  assert.deepEqual(read('ESEARCH (TAG "x") UID COUNT 5'), { kind: 'esearch', tag: 'x', all: undefined })
  assert.deepEqual(read('12 EXISTS'), { kind: 'exists', count: 12 })
  assert.deepEqual(read('OK [UIDNEXT 13] next'), { kind: 'mailbox-code', code: 'UIDNEXT', value: 13 })
  assert.deepEqual(read('OK [ALERT] hello'), { kind: 'other' })
  assert.deepEqual(read('NO trouble'), { kind: 'other' })
})

test('the items of a FETCH response are those in its first line, whatever their values look like', () => {
  const line =
    '3 FETCH (RFC822.SIZE 512 ENVELOPE ("UID 9 \\") (" NIL (("A" NIL "b" "c"))) FLAGS (\\Seen x) UID 31 BODY[1.2]<0> {5}'
  const response = read(line)
  assert.ok(response.kind === 'fetch')
  assert.deepEqual([...response.items], ['RFC822.SIZE', 'ENVELOPE', 'FLAGS', 'UID', 'BODY[1.2]'])
  assert.equal(response.uid, 31)
  assert.equal(response.size, 512)
  const quoted = read('3 FETCH (BODY[HEADER.FIELDS ("DATE" "FROM")] "UID 4" UID 5)')
  assert.ok(quoted.kind === 'fetch')
  assert.deepEqual([...quoted.items], ['BODY[HEADER.FIELDS]', 'UID'])
  assert.equal(quoted.uid, 5)
})

test('a response belongs to the command that asked for its contents', () => {
  const inFlight = [
    'STATUS "a" (UNSEEN)',
    'UID FETCH 31 (UID FLAGS BODYSTRUCTURE)',
    'UID FETCH 31 (BODY.PEEK[2])',
    'LIST "" "*"',
    'UID SEARCH RETURN (ALL) ALL',
  ].map((text, index) => ({ tag: `t${index}`, answers: commandOf(text).answers, text }))
  const owner = (line: string) => ownerOf(read(line), inFlight)?.text
  assert.equal(owner('STATUS a (UNSEEN 1)'), 'STATUS "a" (UNSEEN)')
  assert.equal(owner('STATUS b (UNSEEN 1)'), undefined)
  assert.equal(owner('STATUS A. (UNSEEN 1)'), 'STATUS "a" (UNSEEN)')
  assert.equal(owner('5 FETCH (UID 31 FLAGS () BODYSTRUCTURE (x))'), 'UID FETCH 31 (UID FLAGS BODYSTRUCTURE)')
  assert.equal(owner('5 FETCH (BODY[2] {3}'), 'UID FETCH 31 (BODY.PEEK[2])')
  assert.equal(owner('5 FETCH (UID 32 BODY[2] {3}'), undefined)
  assert.equal(owner('5 FETCH (UID 31 BODY[3] {3}'), undefined)
  assert.equal(owner('5 FETCH (UID 31 FLAGS (\\Seen))'), undefined)
  assert.equal(owner('5 FETCH (FLAGS (\\Seen))'), undefined)
  assert.equal(owner('LIST () "/" x'), 'LIST "" "*"')
  assert.equal(owner('ESEARCH (TAG "t4") UID'), 'UID SEARCH RETURN (ALL) ALL')
  assert.equal(owner('ESEARCH (TAG "t5") UID'), undefined)
  assert.equal(owner('SEARCH 1'), undefined)
})

test('an ESEARCH response is rewritten for the client’s command', () => {
  const line = '* ESEARCH (TAG "E1") UID ALL 1:3,7\r\n'
  assert.equal(rewriteEsearch(line, undefined), '* SEARCH 1 2 3 7\r\n')
  assert.equal(rewriteEsearch(line, 'a1'), '* ESEARCH (TAG "a1") UID ALL 1:3,7\r\n')
  assert.equal(rewriteEsearch('* ESEARCH (TAG "E1") UID\r\n', undefined), '* SEARCH\r\n')
  assert.equal(
    rewriteEsearch('* ESEARCH (TAG E1) UID MIN 2 MAX 9 COUNT 3\r\n', 'b'),
    '* ESEARCH (TAG "b") UID MIN 2 MAX 9 COUNT 3\r\n',
  )
  for (const odd of ['ALL 1:*', 'ALL 0', 'ALL 1:4294967295', 'ALL 1 {3}', 'MODSEQ 5', 'ALL 1\r\n* 2 EXISTS'])
    assert.equal(rewriteEsearch(`* ESEARCH (TAG "E1") UID ${odd}\r\n`, undefined), undefined, odd)
})

test('any line can be parsed without an exception', () => {
  const part = fc.constantFrom(
    'FETCH',
    '(',
    ')',
    '"',
    '\\',
    'UID',
    ' ',
    '1',
    'BODY[',
    ']',
    '{5}',
    'ESEARCH',
    'STATUS',
  )
  fc.assert(
    fc.property(fc.array(part, { maxLength: 20 }), (parts) => {
      readResponse(`${parts.join('')}\r\n`)
      readResponse(`1 FETCH (${parts.join(' ')}\r\n`)
    }),
  )
})

test('the content type of a message is read from the header after the first line, as one of a closed list', () => {
  const typeIn = (
    header: string,
    first = '* 1 FETCH (UID 5 BODY[HEADER.FIELDS (DATE CONTENT-TYPE)]',
    size = header.length,
  ) => {
    const line = `${first} {${size}}\r\n`
    return contentTypeBehind(Buffer.from(`${line}${header})\r\n`, 'latin1'), line.length - 1)
  }
  assert.equal(typeIn('Date: x\r\nContent-Type: Multipart/Mixed; boundary=x\r\n\r\n'), 'multipart/mixed')
  assert.equal(typeIn('content-type:\r\n text/plain\r\n\r\n'), 'text/plain')
  assert.equal(typeIn('Content-Type: secret/word\r\n\r\n'), 'other')
  assert.equal(typeIn('Date: x\r\n\r\n'), 'other')
  // The header is incomplete, too long, or missing.
  assert.equal(typeIn('Content-Type: text/plain\r\n\r\n', undefined, 500), undefined)
  assert.equal(typeIn(`Content-Type: text/plain\r\n${'x'.repeat(5000)}`), undefined)
  assert.equal(typeIn('Content-Type: text/plain\r\n\r\n', '* 1 FETCH (UID 5 BODY[1]'), undefined)
})
