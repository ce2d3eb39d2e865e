import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createLog, Outage, reasonOf } from './log.ts'

function collect() {
  const lines: string[] = []
  return {
    lines,
    log: createLog(
      (line) => lines.push(line),
      () => 0,
    ),
  }
}

test('an event is one line, whatever its values hold', () => {
  const { lines, log } = collect()
  log('warn', 'not ours', { subject: 'a.b', reason: 'x\n2026 error forged', left: undefined, count: 3 })
  assert.deepEqual(lines, [
    '1970-01-01T00:00:00.000Z warn not ours subject=a.b reason="x\\n2026 error forged" count=3\n',
  ])
})

test('an outage is logged once when it begins and once when it is over', () => {
  const { lines, log } = collect()
  const outage = new Outage(log, 'NATS is away', 'NATS is back')
  outage.over()
  outage.began(new Error('refused'))
  outage.began(new Error('still refused'))
  assert.equal(outage.reason, 'still refused')
  outage.over()
  outage.over()
  assert.deepEqual(
    lines.map((line) => line.slice(25)),
    ['warn NATS is away reason=refused\n', 'info NATS is back\n'],
  )
})

test('the reason of an error is what lies beneath its wrappers, never the parameters of a query', () => {
  const wrapped = new Error('Failed query: insert ... params: secret', { cause: new Error('no such table') })
  assert.equal(reasonOf(wrapped), 'no such table')
  const attempts = [Object.assign(new Error(''), { code: 'ECONNREFUSED' })]
  assert.equal(reasonOf(new AggregateError(attempts)), 'ECONNREFUSED')
  assert.equal(reasonOf('text'), 'text')
})
