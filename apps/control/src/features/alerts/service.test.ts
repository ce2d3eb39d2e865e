/** Rules, silences and channels as the API shows them, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { alertRuleNames } from '@imapfleet/api'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import { listAudit } from '../audit/service.ts'
import {
  changeAlertRule,
  endAlertSilence,
  listAlertChannels,
  listAlertRules,
  listAlertSilences,
  readAlert,
  resetAlertRule,
  silenceAlerts,
  testAlertChannel,
} from './service.ts'

suite('the settings of alerts', () => {
  let deps: TestDeps
  const ann: Actor = { id: 'x', name: 'ann', role: 'operator', scopes: [], limits: noLimits }
  before(async () => {
    deps = await testDeps()
    const chat = {
      kind: 'chat',
      url: 'https://chat.example.org/secret-part',
      severities: [],
      regions: [],
    } as const
    deps.alerting = { channels: [{ ...chat, name: 'chat' }], deadManUrl: 'https://x/', consoleUrl: undefined }
  })
  after(async () => await deps?.db.close())

  const audited = async () => (await listAudit(deps, { limit: 1 })).entries[0]

  test('a change of a rule keeps what it does not name, is audited, and can be taken back', async () => {
    await changeAlertRule(deps, ann, 'clock-skew', { threshold: 30 })
    await changeAlertRule(deps, ann, 'clock-skew', { holdSeconds: 0 })
    const find = async () => (await listAlertRules(deps)).rules.find(({ name }) => name === 'clock-skew')
    const changed = await find()
    assert.deepEqual(
      [
        changed?.threshold,
        changed?.holdSeconds,
        changed?.clearSeconds,
        changed?.isChanged,
        changed?.changedBy,
      ],
      [30, 0, 600, true, 'ann'],
    )
    const { before: earlier, after: later } = (await audited()) ?? {}
    assert.deepEqual(earlier, { enabled: true, threshold: 30, holdSeconds: 600, clearSeconds: 600 })
    assert.deepEqual(later, { enabled: true, threshold: 30, holdSeconds: 0, clearSeconds: 600 })
    await resetAlertRule(deps, ann, 'clock-skew')
    assert.deepEqual([(await find())?.threshold, (await find())?.isChanged], [10, false])
    assert.equal((await listAlertRules(deps)).rules.length, alertRuleNames.length)
  })

  test('a threshold that a rule cannot have is refused with its bounds', async () => {
    await assert.rejects(changeAlertRule(deps, ann, 'clock-skew', { threshold: 0 }), /1 to 86400 seconds/)
    await assert.rejects(changeAlertRule(deps, ann, 'reuse-fallen', { threshold: 100 }), /1 to 99 percent/)
    await assert.rejects(changeAlertRule(deps, ann, 'edge-silent', { threshold: 5 }), /has no threshold/)
  })

  test('changes of one rule at the same time are both kept', async () => {
    await Promise.all([
      changeAlertRule(deps, ann, 'drift', { holdSeconds: 1 }),
      changeAlertRule(deps, ann, 'drift', { clearSeconds: 2 }),
      changeAlertRule(deps, ann, 'drift', { enabled: false }),
    ])
    const rule = (await listAlertRules(deps)).rules.find(({ name }) => name === 'drift')
    assert.deepEqual([rule?.holdSeconds, rule?.clearSeconds, rule?.enabled], [1, 2, false])
  })

  test('a silence that has ended stays as it is', async () => {
    const made = await silenceAlerts(deps, ann, { edge: 'eu-1', reason: 'x', seconds: 60 })
    const ended = await endAlertSilence(deps, ann, made.id)
    assert.deepEqual([ended.isActive, ended.endedBy], [false, 'ann'])
    const again = await endAlertSilence(deps, { ...ann, name: 'bob' }, made.id)
    assert.deepEqual(again, ended)
    assert.deepEqual((await listAlertSilences(deps, { limit: 9 })).silences, [ended])
    await assert.rejects(endAlertSilence(deps, ann, 99), /No silence has the number 99/)
    await assert.rejects(readAlert(deps, ann, 99), /No alert has the number 99/)
  })

  test('a test message is written for a channel of the file, and for no other', async () => {
    const message = await testAlertChannel(deps, ann, 'chat')
    assert.deepEqual([message.channel, message.state], ['chat', 'waiting'])
    assert.equal((await audited())?.action, 'alerts.test')
    await assert.rejects(testAlertChannel(deps, ann, 'other'), /No channel is named other/)
  })

  test('channels are shown without what may be a secret', async () => {
    const shown = await listAlertChannels(deps)
    assert.deepEqual(
      shown.channels.map(({ name, target, waiting }) => [name, target, waiting]),
      [['chat', 'chat.example.org', 1]],
    )
    assert.equal(shown.deadMan, true)
    const { entries } = await listAudit(deps, { limit: 500 })
    assert.ok(!JSON.stringify([shown, entries, deps.lines]).includes('secret-part'))
  })
})
