import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findingsAsJson, findingsAbout, printFindings, worstOf } from './findings.ts'

const { ok, warn, fail } = findingsAbout('ports')
const user = findingsAbout('user').ok('it is nobody')

test('the worst verdict is returned', () => {
  assert.equal(worstOf([]), 'ok')
  assert.equal(worstOf([ok('a'), warn('b', 'do c')]), 'warn')
  assert.equal(worstOf([fail('a', 'do b'), ok('c'), warn('d', 'do e')]), 'fail')
})

test('each finding is one line, with what to do below, and text from outside cannot break it', () => {
  assert.equal(
    printFindings([user, fail('143 is in use\nok    all is well', 'stop it')]),
    'ok    user   it is nobody\nfail  ports  143 is in use?ok    all is well\n             → stop it\n2 checks: 1 failed, 0 warnings\n',
  )
})

test('as JSON it is one document with the worst verdict', () => {
  const printed = JSON.parse(findingsAsJson([user, warn('a', 'b')])) as unknown
  assert.deepEqual(printed, {
    verdict: 'warn',
    findings: [user, { check: 'ports', verdict: 'warn', text: 'a', remedy: 'b' }],
  })
})
