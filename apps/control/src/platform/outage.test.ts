import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Log } from '@imapfleet/observe'
import { Outage } from './outage.ts'

test('an outage is logged once when it starts and once when it ends', () => {
  const lines: string[] = []
  const log = new Log({ level: 'info', format: 'text' }, (line) => lines.push(line))
  const outage = new Outage(log, 'NATS is unavailable', 'NATS is available again')
  outage.over()
  outage.began(new Error('refused'))
  outage.began(new Error('still refused'))
  assert.equal(outage.reason, 'still refused')
  outage.over()
  outage.over()
  assert.deepEqual(
    lines.map((line) => line.slice(25)),
    ['warn NATS is unavailable reason=refused\n', 'info NATS is available again\n'],
  )
})
