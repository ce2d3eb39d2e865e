import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Tally } from './tally.ts'

test('what was counted is printed by name and label, what was not is described all the same', () => {
  const tally = new Tally()
  tally.add('reports_total', 40)
  tally.add('reports_total', 2)
  tally.add('strangers_total', 1, 'sent_as="report"')
  tally.add('strangers_total', 3, 'sent_as="heartbeat"')
  assert.equal(
    tally.print(),
    [
      '# HELP imapfleet_control_reports_total Reports taken in.',
      '# TYPE imapfleet_control_reports_total counter',
      'imapfleet_control_reports_total 42',
      '# HELP imapfleet_control_heartbeats_total Heartbeats taken in.',
      '# TYPE imapfleet_control_heartbeats_total counter',
      '# HELP imapfleet_control_strangers_total Messages that were none of ours, by what they were sent as.',
      '# TYPE imapfleet_control_strangers_total counter',
      'imapfleet_control_strangers_total{sent_as="report"} 1',
      'imapfleet_control_strangers_total{sent_as="heartbeat"} 3',
      '',
    ].join('\n'),
  )
})
