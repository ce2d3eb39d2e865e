import assert from 'node:assert/strict'
import { test } from 'node:test'
import { keysIn } from './screen.ts'

test('keys are named, and unknown sequences are no keys', () => {
  assert.deepEqual(keysIn('aé/\x1b[A\x1bOB\x1b[5~\x1b[6~\r\x7f\x03'), [
    ...['a', 'é', '/', 'up', 'down', 'page-up', 'page-down', 'enter', 'backspace', 'ctrl-c'],
  ])
  assert.deepEqual(keysIn('\x1b'), ['escape'])
  assert.deepEqual(keysIn('\x1b[24~\x1b[1;5C\x01x'), ['x'])
  assert.deepEqual(keysIn(''), [])
})
