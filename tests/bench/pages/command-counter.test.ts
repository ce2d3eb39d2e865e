/** Commands are counted at every cut of the bytes. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CommandCounter } from './command-counter.ts'

const dialogue = [
  'A1 AUTHENTICATE PLAIN\r\n',
  'AGEAYg==\r\n',
  'A2 APPEND Drafts {9}\r\n',
  'a b\r\nc d\r\n',
  '\r\n',
  'A3 IDLE\r\nDONE\r\n',
  'A4 SEARCH SUBJECT {3+}\r\nx y FROM z\r\n',
  'A5 LOGOUT\r\n',
].join('')

test('literals, DONE and SASL answers are no commands', () => {
  const bytes = Buffer.from(dialogue, 'latin1')
  for (let cut = 0; cut <= bytes.length; cut++) {
    const counter = new CommandCounter()
    assert.equal(counter.push(bytes.subarray(0, cut)) + counter.push(bytes.subarray(cut)), 5, `cut at ${cut}`)
  }
})
