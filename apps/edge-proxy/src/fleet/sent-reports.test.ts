import assert from 'node:assert/strict'
import { test } from 'node:test'
import { reportId, wireVersion, type Report } from '@imapfleet/protocol'
import { SentReports } from './sent-reports.ts'

const boot = '0d6c1a4e-5b2a-4b7e-8f11-2f1f0c9d7e55'
const report = (sequence: number): Report => ({
  ...{ v: wireVersion, edge: 'eu-1', region: 'eu', boot, at: 1000 + sequence, startedAt: 1000, sequence },
  ...{ counters: {}, gauges: {}, histograms: {} },
})

function start(max = 100) {
  let now = 0
  const sent = new SentReports(max, () => now)
  const sequences = (reports: readonly Report[]) => reports.map(({ sequence }) => sequence)
  return {
    send: (...numbers: number[]) => {
      for (const number of numbers) sent.add({ report: report(number), repeats: 0 })
    },
    confirm: (...numbers: number[]) => sent.confirm(numbers.map((number) => reportId(report(number)))),
    late: () => {
      const { again, lost } = sent.takeLate()
      return { again: sequences(again.map((each) => each.report)), lost }
    },
    sent,
    kept: () => sequences(sent.reports),
    later: (ms: number) => void (now += ms),
  }
}

test('a report is kept until control has stored it', () => {
  const { send, confirm, kept, late, later } = start()
  send(1, 2, 3)
  confirm(1, 2)
  later(3_600_000)
  assert.deepEqual([kept(), late()], [[3], { again: [], lost: 0 }])
  confirm(3)
  assert.deepEqual(kept(), [])
})

test('a report that control skips for half a minute is sent again, but not one that only waits', () => {
  const { send, confirm, late, later } = start()
  send(1, 2, 3, 4, 5)
  confirm(2, 4)
  later(29_999)
  assert.deepEqual(late(), { again: [], lost: 0 })
  confirm(1)
  later(1)
  assert.deepEqual(late(), { again: [3], lost: 0 })
  later(3_600_000)
  assert.deepEqual(late(), { again: [], lost: 0 })
})

test('after an outage of control, however long, no report is sent again', () => {
  const { send, confirm, late, later } = start()
  send(1, 2, 3)
  later(3_600_000)
  confirm(2)
  assert.deepEqual(late(), { again: [], lost: 0 })
  later(10_000)
  confirm(1, 3)
  later(30_000)
  assert.deepEqual(late(), { again: [], lost: 0 })
})

test('a report that was sent again twice and is still not stored is lost', () => {
  const { sent, confirm, later } = start()
  for (const repeats of [1, 2]) {
    sent.add({ report: report(1), repeats })
    sent.add({ report: report(9), repeats: 0 })
    confirm(9)
    later(30_000)
    const { again, lost } = sent.takeLate()
    assert.deepEqual([again.map((each) => each.repeats), lost], repeats === 1 ? [[2], 0] : [[], 1])
  }
})

test('if control confirms no reports, a limited number is kept, and none for the next run', () => {
  const { send, confirm, kept } = start(3)
  send(1, 2, 3, 4, 5)
  assert.deepEqual(kept(), [])
  confirm(4)
  assert.deepEqual(kept(), [3, 5])
})
