import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serverProblemIn, serverProblemText } from './server-problem.ts'

test('a problem of a mail server is found in its text', () => {
  for (const problem of [
    { upstream: 'main', reason: '127.0.0.1 port 143: no greeting: timed-out' },
    { upstream: 'eu-west.2', reason: '' },
    { upstream: 'main', reason: 'two\nlines' },
  ])
    assert.deepEqual(serverProblemIn(serverProblemText(problem)), problem)
  for (const other of ['', 'upstream', 'upstream main', 'an upstream main: down', 'it is full'])
    assert.equal(serverProblemIn(other), undefined, other)
})
