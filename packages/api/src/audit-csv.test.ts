import assert from 'node:assert/strict'
import { test } from 'node:test'
import { auditCsv } from './audit-csv.ts'

const entry = {
  id: 7,
  at: '2026-11-28T03:00:00.000Z',
  actor: 'ann',
  action: 'order.give',
  target: 'edge/eu-1',
  before: null,
  after: { kind: 'kick-user', user: 'a"b,c' },
}

test('an entry is one line, with its facts as quoted JSON', () => {
  assert.equal(
    auditCsv([entry]),
    'id,at,actor,action,target,before,after\r\n' +
      '7,2026-11-28T03:00:00.000Z,ann,order.give,edge/eu-1,,"{""kind"":""kick-user"",""user"":""a\\""b,c""}"\r\n',
  )
})

test('a target from outside is never a formula in a spreadsheet', () => {
  const targets = ['=HYPERLINK("http://x")', '+1', '-1', '@sum', '\tx', 'a=b']
  const lines = auditCsv(targets.map((target) => ({ ...entry, after: null, target })))
    .split('\r\n')
    .slice(1, -1)
  assert.deepEqual(
    lines.map((line) => line.split(',')[4]),
    [`"'=HYPERLINK(""http://x"")"`, "'+1", "'-1", "'@sum", "'\tx", 'a=b'],
  )
})
