/** The outbox, on a real Postgres, with real receivers. Several senders stand for the replicas of control. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { SmtpSink } from '@imapfleet/local/in-tests'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { withLease, type Lease } from '../../platform/ticks/leases.ts'
import type { AlertChannel } from './channels.ts'
import { givenUpMs, sendAlertMessages, settlement } from './deliver.ts'
import { hookListener, type HookListener } from './listener.test-support.ts'
import { insertMessages } from './message-queries.ts'
import { listAlertChannels } from './service.ts'

suite('the outbox of alerts', () => {
  let deps: TestDeps
  let listener: HookListener
  let now = 0
  beforeEach(async () => {
    deps = await testDeps()
    listener = await hookListener()
    now = Date.parse('2026-03-01T03:00:00Z')
    deps.setNow(now)
    withChannels(hook('events'))
  })
  afterEach(async () => {
    await listener.close()
    await deps.db.close()
  })

  const hook = (name: string, url = listener.url): AlertChannel => ({
    ...{ name, kind: 'webhook', url, severities: [], regions: [] },
    secret: Buffer.from('sixteen bytes...'),
  })
  const withChannels = (...channels: AlertChannel[]) => {
    deps.alerting = { channels, deadManUrl: undefined, consoleUrl: undefined }
  }
  const write = async (channel: string, count: number): Promise<string[]> => {
    const rows = Array.from({ length: count }, () => ({
      ...{ id: randomUUID(), channel, at: new Date(now), nextAt: new Date(now) },
      content: { kind: 'test' as const, by: 'ann' },
    }))
    await insertMessages(deps.db.orm, rows)
    return rows.map(({ id }) => id)
  }
  /** One run of the timer. False: another sender has the lease. */
  const run = async (replica = 'a', work?: (lease: Lease) => Promise<void>) =>
    await withLease(
      { ...deps, replica },
      'alert-messages',
      work ?? ((lease) => sendAlertMessages(deps, lease)),
    )
  const pass = (ms: number) => {
    now += ms
    deps.setNow(now)
  }
  const got = () => listener.received.map(({ headers }) => headers['webhook-id'])
  const states = async () =>
    (await deps.db.sql`select state from alert_messages order by number`).map((row) => String(row['state']))

  test('is sent in its order, each message once, by whichever sender has the lease', async () => {
    const ids = await write('events', 20)
    for (let round = 0; round < 5; round++) await Promise.all([run('a'), run('b'), run('c')])
    assert.deepEqual(got(), ids)
    assert.deepEqual(new Set(await states()), new Set(['sent']))
  })

  test('a failed message is tried again later, before those that follow it', async () => {
    const ids = await write('events', 2)
    listener.answer = () => 500
    await run()
    await run()
    assert.deepEqual(got(), [ids[0]], 'no attempt before its time')
    const [channel] = (await listAlertChannels(deps)).channels
    assert.deepEqual([channel?.problem, channel?.waiting], ['it answered 500', 2])
    assert.equal(deps.lines.filter((line) => line.includes('cannot be sent')).length, 1)
    pass(5_000)
    listener.answer = () => 200
    await run()
    assert.deepEqual(got(), [ids[0], ...ids])
    const [again] = (await listAlertChannels(deps)).channels
    assert.deepEqual([again?.problem, again?.waiting], [null, 0])
    assert.ok(deps.lines.some((line) => line.includes('can be sent again')))
  })

  test('a message that is refused for a day is given up, and the next ones are sent', async () => {
    const [refused, next] = await write('events', 2)
    listener.answer = ({ headers }) => (headers['webhook-id'] === refused ? 500 : 200)
    for (let hours = 0; hours <= 24; hours++) {
      await run()
      pass(3_600_000)
    }
    assert.deepEqual(await states(), ['failed', 'sent'])
    assert.equal(got().at(-1), next)
    assert.equal((await listAlertChannels(deps)).channels[0]?.failed, 1)
  })

  test('a channel that hangs or fails does not stop the others', async () => {
    const sink = await SmtpSink.start()
    const mail: AlertChannel = {
      ...{ name: 'mail', kind: 'mail', host: '127.0.0.1', port: sink.port, security: 'none', ca: undefined },
      ...{ user: undefined, password: undefined, severities: [], regions: [] },
      ...{ from: 'a@example.org', to: ['b@example.org'] },
    }
    withChannels(hook('events'), mail)
    await write('events', 1)
    await write('mail', 3)
    const hanging = Promise.withResolvers<number>()
    listener.answer = async () => await hanging.promise
    const running = run()
    while (sink.mails.length < 3) await new Promise((resolve) => setImmediate(resolve))
    hanging.resolve(200)
    await running
    assert.deepEqual(new Set(await states()), new Set(['sent']))
    await sink.close()
  })

  test('a sender without the lease sends nothing more, but notes what was accepted', async () => {
    const [first] = await write('events', 2)
    // While the first message is on its way, another replica gets the lease.
    listener.answer = async () => {
      await deps.db.sql`update leases set fence = fence + 1, holder = 'b'`
      return 200
    }
    await assert.rejects(run(), /no longer holds the lease/)
    assert.deepEqual(got(), [first])
    assert.deepEqual(await states(), ['sent', 'waiting'])
    listener.answer = () => 200
    await deps.db.sql`update leases set until = now()`
    await run('b')
    assert.equal(got().length, 2)
    assert.equal(new Set(got()).size, 2)
  })

  test('messages of a channel that is not in the file wait', async () => {
    await write('removed', 1)
    await run()
    assert.deepEqual(await states(), ['waiting'])
  })

  test('the pauses grow from seconds to ten minutes, and end after a day', () => {
    const at = new Date(now)
    const failed = { ok: false, reason: 'x' } as const
    const pauseOf = (attempts: number) => {
      const { nextAt } = settlement({ attempts, at }, failed, now, () => 1)
      return (nextAt?.getTime() ?? 0) - now
    }
    assert.deepEqual([0, 1, 2, 7, 8, 99].map(pauseOf), [5_000, 10_000, 20_000, 600_000, 600_000, 600_000])
    assert.equal(settlement({ attempts: 99, at }, failed, now + givenUpMs - 1).state, 'waiting')
    assert.equal(settlement({ attempts: 99, at }, failed, now + givenUpMs).state, 'failed')
    const remark = settlement({ attempts: 3, at }, { ok: true, remark: 'refused for b' }, now)
    assert.deepEqual([remark.state, remark.attempts, remark.error], ['sent', 4, 'refused for b'])
  })
})
