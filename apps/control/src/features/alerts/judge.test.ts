/** From facts to messages, on a real Postgres, with a clock that only the test moves. */
import assert from 'node:assert/strict'
import { after, before, beforeEach, suite, test } from 'node:test'
import type { AlertRuleName } from '@imapfleet/api'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { noLimits, type Actor } from '../../platform/access.ts'
import type { AlertChannel } from './channels.ts'
import type { AlertFacts, EdgeFacts } from './findings.ts'
import { applyFacts } from './judge.ts'
import { acknowledgeAlert, changeAlertRule, endAlertSilence, listAlerts, silenceAlerts } from './service.ts'

const chat = (name: string, said: Partial<AlertChannel> = {}): AlertChannel =>
  ({ name, kind: 'chat', url: 'http://127.0.0.1:9/', severities: [], regions: [], ...said }) as AlertChannel

suite('alerts', () => {
  let deps: TestDeps
  let now = 0
  const ann: Actor = { id: 'x', name: 'ann', role: 'operator', scopes: [], limits: noLimits }
  before(async () => {
    deps = await testDeps()
  })
  after(async () => await deps?.db.close())
  beforeEach(async () => {
    await deps.db.sql`truncate alerts, alert_messages, alert_silences, alert_rules restart identity`
    deps.alerting = { channels: [chat('all')], deadManUrl: undefined, consoleUrl: undefined }
    now = Date.parse('2026-03-01T03:00:00Z')
    deps.setNow(now)
  })

  const silent = (id: string, region = 'eu'): EdgeFacts => ({
    ...{ id, region, isHeard: false, gauges: {}, clockSkewMs: null, runsForeignState: false },
    problems: [{ kind: 'silent', severity: 'bad', text: 'no heartbeat' }],
  })
  const heard = (id: string, region = 'eu'): EdgeFacts => ({
    ...silent(id, region),
    isHeard: true,
    problems: [],
  })
  const factsOf = (edges: readonly EdgeFacts[], said: Partial<AlertFacts> = {}): AlertFacts => ({
    ...{ now, isDeaf: false, edges, lateTimers: [], tokens: [], restoredAt: undefined, held: undefined },
    counted: { minutes5: new Map(), minutes15: new Map() },
    replicas: [{ name: 'a:1', ageMs: 0, report: { nats: 'ok', certificates: [], storedAt: now } }],
    ...said,
  })
  /** Some seconds later, this is observed. */
  const observe = async (seconds: number, edges: readonly EdgeFacts[], said: Partial<AlertFacts> = {}) => {
    now += seconds * 1000
    deps.setNow(now)
    await deps.db.orm.transaction(async (tx) => {
      const options = { channels: deps.alerting.channels, isAfterGap: false }
      await applyFacts(tx, factsOf(edges, said), options)
    })
  }
  /** `all: opened 1, resolved 2`: each message, in order. */
  const messages = async () =>
    (
      await deps.db.sql<{ channel: string; changes: { change: string; alert: { id: number } }[] }[]>`
        select channel, content -> 'changes' as changes from alert_messages order by number`
    ).map(
      ({ channel, changes }) =>
        `${channel}: ${changes.map(({ change, alert }) => `${change} ${alert.id}`).join(', ')}`,
    )
  const shown = async (state: 'current' | 'open' | 'resolved' = 'open') =>
    (await listAlerts(deps, noLimits, { limit: 50, state })).alerts.map(
      ({ rule, subject }) => `${rule} ${subject}`,
    )

  test('an alert is pending, opens after its hold time, and its opening and its end are sent once', async () => {
    await observe(0, [silent('eu-1')])
    assert.deepEqual([await shown(), await shown('current')], [[], ['edge-silent eu-1']])
    await observe(50, [silent('eu-1')])
    assert.deepEqual(await messages(), [])
    await observe(10, [silent('eu-1')])
    await observe(10, [silent('eu-1')])
    assert.deepEqual([await shown(), await messages()], [['edge-silent eu-1'], ['all: opened 1']])
    await observe(10, [heard('eu-1')])
    await observe(50, [heard('eu-1')])
    assert.deepEqual(await messages(), ['all: opened 1'])
    await observe(10, [heard('eu-1')])
    await observe(10, [heard('eu-1')])
    assert.deepEqual([await shown(), await messages()], [[], ['all: opened 1', 'all: resolved 1']])
    assert.deepEqual(await shown('resolved'), ['edge-silent eu-1'])
  })

  test('newer tickets hide no page: pages come first, page by page, and a log is in the order of time', async () => {
    await deps.db.sql`
      insert into alerts (id, rule, subject, region, edge, text, state, since)
      select id, case when id in (1, 2, 30) then 'edge-silent' else 'certificate-expires' end,
        'eu-' || id, 'eu', 'eu-' || id, 'x', 'open', now()
      from generate_series(1, 40) id`
    const pagesOf = async (state: 'open' | 'current' | 'all') => {
      const ids: number[] = []
      for (let cursor: number | null | undefined; cursor !== null;) {
        const { alerts, next } = await listAlerts(deps, noLimits, { limit: 2, before: cursor, state })
        ids.push(...alerts.map(({ id }) => id))
        cursor = next
      }
      return ids
    }
    const newestFirst = Array.from({ length: 40 }, (_, index) => 40 - index)
    const pages = [30, 2, 1]
    const byUrgency = [...pages, ...newestFirst.filter((id) => !pages.includes(id))]
    for (const state of ['open', 'current'] as const) assert.deepEqual(await pagesOf(state), byUrgency, state)
    assert.deepEqual(await pagesOf('all'), newestFirst)

    // The row of the cursor can be resolved or gone meanwhile.
    await deps.db.sql`update alerts set state = 'resolved', resolved_at = now() where id = 2`
    await deps.db.sql`delete from alerts where id = 30`
    for (const cursor of [2, 30]) {
      const { alerts } = await listAlerts(deps, noLimits, { limit: 2, before: cursor, state: 'open' })
      assert.deepEqual(
        alerts.map(({ id }) => id),
        [1, 40],
      )
    }
  })

  test('an edge that comes and goes sends one opening', async () => {
    for (let round = 0; round < 10; round++) {
      await observe(10, [silent('eu-1')])
      await observe(40, [silent('eu-1')])
      await observe(20, [silent('eu-1')])
      await observe(10, [heard('eu-1')])
    }
    assert.deepEqual(await messages(), ['all: opened 1'])
  })

  test('what changes together is one message to each channel, within its filter, and at most 100 changes', async () => {
    deps.alerting = {
      ...deps.alerting,
      channels: [
        chat('all'),
        chat('tickets', { severities: ['ticket'] }),
        chat('us', { regions: ['us'] }),
        chat('pages of us', { regions: ['us'], severities: ['page'] }),
      ],
    }
    const edges = Array.from({ length: 150 }, (_, index) => silent(`eu-${index}`))
    await observe(0, [...edges, silent('us-1', 'us')])
    await observe(60, [...edges, silent('us-1', 'us')])
    const sizes = (await messages()).map((text) => [text.split(':')[0], text.split(',').length])
    assert.deepEqual(sizes, [
      ['all', 100],
      ['all', 51],
      ['us', 1],
      ['pages of us', 1],
    ])
    // An alert without a region concerns every region.
    await observe(0, [], { held: 'no revision' })
    await observe(60, [], { held: 'no revision' })
    assert.equal(
      (await messages()).findLast((text) => text.startsWith('us:')),
      'us: resolved 151, opened 152',
    )
  })

  test('while control is deaf nothing about edges opens and nothing is resolved', async () => {
    const down: EdgeFacts = { ...heard('eu-1'), gauges: { 'upstream_healthy{upstream="main"}': 0 } }
    await observe(0, [down])
    await observe(120, [down])
    assert.deepEqual(await shown(), ['upstream-down eu-1/main'])
    for (let minutes = 0; minutes < 30; minutes++) await observe(60, [heard('eu-1')], { isDeaf: true })
    assert.deepEqual(await shown(), ['upstream-down eu-1/main'])
    for (let minutes = 0; minutes < 30; minutes++) await observe(60, [silent('eu-1')])
    assert.ok((await shown()).includes('upstream-down eu-1/main'))
    await observe(60, [heard('eu-1')])
    await observe(120, [heard('eu-1')])
    assert.deepEqual(await shown(), [])
  })

  test('a forgotten edge has no alerts', async () => {
    await observe(0, [silent('eu-1')])
    await observe(60, [silent('eu-1')])
    await observe(10, [])
    await observe(60, [])
    assert.deepEqual(await messages(), ['all: opened 1', 'all: resolved 1'])
  })

  test('an acknowledgement is told, and after its time the alert is sent again once', async () => {
    await observe(0, [silent('eu-1')])
    await assert.rejects(acknowledgeAlert(deps, ann, 1, { reason: 'x', seconds: 60 }), /pending/)
    await observe(60, [silent('eu-1')])
    const alert = await acknowledgeAlert(deps, ann, 1, { reason: 'new disk', seconds: 3_600 })
    assert.deepEqual([alert.acknowledged?.by, alert.acknowledged?.reason], ['ann', 'new disk'])
    await observe(3_590, [silent('eu-1')])
    assert.deepEqual(await messages(), ['all: opened 1', 'all: acknowledged 1'])
    await observe(10, [silent('eu-1')])
    await observe(10, [silent('eu-1')])
    assert.deepEqual(await messages(), ['all: opened 1', 'all: acknowledged 1', 'all: reminded 1'])
    await observe(10, [heard('eu-1')])
    await observe(60, [heard('eu-1')])
    await assert.rejects(acknowledgeAlert(deps, ann, 1, { reason: 'x', seconds: 60 }), /was resolved at/)
    await assert.rejects(
      acknowledgeAlert(deps, ann, 9, { reason: 'x', seconds: 60 }),
      /No alert has the number 9/,
    )
  })

  test('a silence mutes what matches until it ends or is ended', async () => {
    const matching = { region: 'eu', reason: 'maintenance', seconds: 600 }
    const { id } = await silenceAlerts(deps, ann, matching)
    const edges = [silent('eu-1'), silent('us-1', 'us')]
    await observe(0, edges)
    await observe(60, edges)
    assert.deepEqual(await messages(), ['all: opened 2'])
    const { alerts } = await listAlerts(deps, noLimits, { limit: 50, state: 'open' })
    assert.deepEqual(
      alerts.map(({ edge, silencedBy }) => [edge, silencedBy]),
      [
        ['us-1', null],
        ['eu-1', id],
      ],
    )
    // A silenced alert is acknowledged without a message.
    await acknowledgeAlert(deps, ann, 1, { reason: 'x', seconds: 3_600 })
    await observe(530, edges)
    assert.deepEqual(await messages(), ['all: opened 2'])
    await observe(10, edges)
    assert.deepEqual(await messages(), ['all: opened 2', 'all: opened 1'])

    const second = await silenceAlerts(deps, ann, matching)
    await observe(10, [heard('eu-1'), silent('us-1', 'us')])
    await observe(60, [heard('eu-1'), silent('us-1', 'us')])
    assert.equal(
      (await messages()).at(-1),
      'all: resolved 1',
      'what was sent before is ended also in a silence',
    )
    await observe(10, edges)
    await observe(60, edges)
    const sentBefore = (await messages()).length
    assert.equal((await endAlertSilence(deps, ann, second.id)).isActive, false)
    await observe(10, edges)
    assert.equal((await messages()).length, sentBefore + 1)
    assert.match((await messages()).at(-1) ?? '', /^all: opened \d+$/)
  })

  test('thresholds and hold times can be changed, and a rule can be switched off', async () => {
    await changeAlertRule(deps, ann, 'edge-silent', { holdSeconds: 0, clearSeconds: 0 })
    await changeAlertRule(deps, ann, 'clock-skew', { threshold: 100, holdSeconds: 0 })
    const skewed = (ms: number): EdgeFacts => ({ ...heard('eu-2'), clockSkewMs: ms })
    await observe(0, [silent('eu-1'), skewed(99_000)])
    assert.deepEqual(await shown(), ['edge-silent eu-1'])
    await observe(10, [silent('eu-1'), skewed(101_000)])
    assert.deepEqual(await shown(), ['edge-silent eu-1', 'clock-skew eu-2'])
    await changeAlertRule(deps, ann, 'edge-silent', { enabled: false })
    await observe(10, [silent('eu-1'), skewed(101_000)])
    assert.deepEqual(await shown(), ['clock-skew eu-2'])
    await observe(60, [silent('eu-1'), skewed(101_000)])
    assert.deepEqual(await shown('current'), ['clock-skew eu-2'])
  })

  test('alerts of a rule that only a newer version has are left alone', async () => {
    const newer = 'something-new' as AlertRuleName
    await deps.db.sql`
      insert into alerts (rule, subject, text, state, since, opened_at)
      values (${newer}, 'x', 'x', 'open', now(), now())`
    await observe(600, [])
    const [row] = await deps.db.sql`select state from alerts`
    assert.equal(row?.['state'], 'open')
  })

  test('alerts of more edges than fit into one statement are all advanced', async () => {
    const many = Array.from({ length: 1_001 }, (_, index) => silent(`many-${index}`))
    await observe(10, many)
    await observe(600, many)
    const rows = await deps.db.sql`select state, count(*)::int from alerts group by state`
    assert.deepEqual([...rows], [{ state: 'open', count: 1_001 }])
  })
})
