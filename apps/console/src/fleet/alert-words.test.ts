import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { AlertView } from '@imapfleet/api'
import {
  alertDuration,
  alertStateWords,
  alertText,
  alertTone,
  isMuted,
  muteWords,
  silenceWords,
} from './alert-words.ts'

const alert: AlertView = {
  ...{ id: 1, rule: 'edge-silent', severity: 'page', title: 'Edge silent', subject: 'eu-1', region: 'eu' },
  ...{ edge: 'eu-1', text: 'eu-1 is silent', state: 'open', since: '2026-03-01T03:00:00Z', openedAt: null },
  ...{ resolvedAt: null, acknowledged: null, silencedBy: null, action: 'Look.' },
}
const acknowledged = { by: 'ann', at: '', until: '', reason: '' }

test('the state says whether someone knows of an open alert', () => {
  for (const [said, words, muted] of [
    [{}, 'open', false],
    [{ acknowledged }, 'acknowledged', true],
    [{ silencedBy: 3 }, 'silenced', true],
    [{ acknowledged, silencedBy: 3 }, 'acknowledged', true],
    [{ state: 'resolved', acknowledged }, 'resolved', true],
    [{ state: 'pending' }, 'pending', false],
  ] as const) {
    assert.equal(alertStateWords({ ...alert, ...said }), words)
    assert.equal(isMuted({ ...alert, ...said }), muted)
  }
})

test('a muted alert says by whom, until when and why', () => {
  const now = new Date('2026-03-01T05:00:00Z')
  const until = '2026-03-01T06:00:00Z'
  const silence = {
    ...{ id: 3, rule: null, region: null, edge: 'eu-1', subject: null, reason: 'move', createdBy: 'bob' },
    ...{ createdAt: '', endsAt: until, endedBy: null, isActive: true },
  }
  const words = (said: Partial<AlertView>) => muteWords({ ...alert, ...said }, [silence], now)
  assert.equal(words({}), '')
  const byAnn = { ...acknowledged, until, reason: 'new disk' }
  assert.match(
    words({ acknowledged: byAnn, silencedBy: 3 }),
    /^Acknowledged by ann until .*\d\d:00:00: new disk$/,
  )
  assert.match(words({ silencedBy: 3 }), /^Silenced by bob until .*\d\d:00:00: move$/)
  assert.equal(words({ silencedBy: 4 }), 'Silenced by silence 4')
})

test('the duration of a resolved alert does not grow', () => {
  const now = new Date('2026-03-01T05:00:00Z')
  assert.equal(alertDuration(alert, now), '2 h')
  assert.equal(alertDuration({ ...alert, resolvedAt: '2026-03-01T03:10:00Z' }, now), '10 min')
})

test('pages are red and tickets yellow, and a silence says what it matches', () => {
  assert.deepEqual([alertTone(alert), alertTone({ severity: 'ticket' })], ['bad', 'warn'])
  const silence = {
    ...{ id: 1, rule: null, region: 'eu', edge: null, subject: 'eu-1', reason: '', createdBy: '' },
    ...{ createdAt: '', endsAt: '', endedBy: null, isActive: true },
  }
  assert.equal(silenceWords(silence), 'region eu, subject eu-1')
  assert.equal(silenceWords({ ...silence, region: null, subject: null }), 'everything')
})

test('times in the text are in the time zone of the console', () => {
  const now = new Date('2026-03-01T05:00:00Z')
  const text = 'eu-1: no heartbeat since 2026-03-01T03:00:00.123Z: it is down'
  assert.match(
    alertText({ text }, now),
    /^eu-1: no heartbeat since (\d\d \w{3} )?\d\d:\d\d:\d\d: it is down$/,
  )
  assert.equal(alertText({ text: 'revision 2026-03-01' }, now), 'revision 2026-03-01')
})
