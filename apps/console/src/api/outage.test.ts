import assert from 'node:assert/strict'
import { test } from 'node:test'
import { noteAnswered, noteRefused, noteUnanswered, outage } from './outage.ts'

test('an outage has the time of the last answer, not that of the failure, until control answers again', () => {
  noteUnanswered('Control does not answer.')
  assert.deepEqual(outage.value, { answeredAt: undefined, sentence: 'Control does not answer.' })
  const answered = new Date('2026-12-01T09:53:47Z')
  noteAnswered(answered)
  assert.equal(outage.value, undefined)
  for (const sentence of ['Control does not answer.', 'The database is unavailable.']) {
    noteUnanswered(sentence)
    assert.deepEqual(outage.value, { answeredAt: answered, sentence })
  }
  noteRefused()
  assert.equal(outage.value, undefined)
  noteUnanswered('Control does not answer.')
  assert.deepEqual(outage.peek()?.answeredAt, answered, 'a refusal has no data')
})
