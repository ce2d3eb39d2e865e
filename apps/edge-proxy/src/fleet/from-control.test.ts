import assert from 'node:assert/strict'
import { test } from 'node:test'
import { edgeMetrics, Log, Metrics } from '@imapfleet/observe'
import { isFromControl } from './from-control.ts'

test('a message with headers is not from control: it is counted, and its sender is logged once in a thousand', () => {
  const lines: string[] = []
  const log = new Log({ level: 'info', format: 'text' }, (line) => lines.push(line))
  const forged = new Metrics(edgeMetrics).counters.forged_messages_total
  const subject = 'imapfleet.order.all'
  const headers = { last: (name: string) => (name === 'Nats-Subject' ? 'imapfleet.evidence.eu.evil' : '') }
  assert.ok(isFromControl({ subject }, { log, forged }))
  for (let n = 0; n < 1000; n++) assert.ok(!isFromControl({ subject, headers }, { log, forged }))
  assert.equal(forged.value, 1000)
  assert.deepEqual(lines.length, 1)
  assert.match(
    lines[0] ?? '',
    /message_forged subject=imapfleet\.order\.all sender=imapfleet\.evidence\.eu\.evil/,
  )
})
