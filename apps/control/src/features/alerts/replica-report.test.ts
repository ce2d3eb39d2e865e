/** What processes of control report about themselves, and the timers that watch control, on a real Postgres without NATS. */
import assert from 'node:assert/strict'
import { afterEach, beforeEach, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import { openDatabase } from '../../platform/db/database.ts'
import { withLease } from '../../platform/ticks/leases.ts'
import { pingDeadMan } from './dead-man.ts'
import { judgeAlerts } from './judge.ts'
import { hookListener } from './listener.test-support.ts'
import { dropReplica, selectReplicas } from './queries.ts'
import { ReplicaReporter } from './replica-report.ts'

suite('a process of control', () => {
  let deps: TestDeps
  beforeEach(async () => {
    deps = await testDeps()
  })
  afterEach(async () => await deps.db.close())

  const reported = async () => (await selectReplicas(deps.db.orm)).find(({ name }) => name === 'host:8080')

  test('reports itself, and when it last stored a report and rejected a message', async () => {
    const reporter = new ReplicaReporter(deps)
    await reporter.write('host:8080')
    const first = await reported()
    assert.ok(first && first.ageMs < 30_000)
    assert.notEqual(first.report.nats, 'ok')
    assert.deepEqual([first.report.storedAt, first.report.rejectedAt], [undefined, undefined])
    deps.metrics.counters.control_reports_total.value += 3
    deps.metrics.counters.control_invalid_messages_total({ sent_as: 'report' }).value++
    deps.metrics.gauge('control_certificate_expiry_seconds', () => [[{ owner: 'nats' }, 1_800_000_000]])
    deps.metrics.gauge('control_credential_expiry_seconds', () => 1_900_000_000)
    const countedAt = deps.now()
    await reporter.write('host:8080')
    deps.setNow(countedAt + 60_000)
    await reporter.write('host:8080')
    assert.deepEqual((await reported())?.report, {
      nats: first.report.nats,
      storedAt: countedAt,
      rejectedAt: countedAt,
      certificates: [{ owner: 'nats', expiresAt: 1_800_000_000_000 }],
      credentialExpiresAt: 1_900_000_000_000,
    })
    await dropReplica(deps.db.orm, 'host:8080')
    assert.equal(await reported(), undefined)
  })

  test('remembers an outage of Postgres, and reports it when Postgres is back', async () => {
    const away = openDatabase({ url: 'postgres://x@127.0.0.1:1/x', hosts: [], ssl: false })
    const from = deps.now()
    let db = away
    const reporter = new ReplicaReporter({
      ...deps,
      get db() {
        return db
      },
    })
    await reporter.write('host:8080')
    deps.setNow(from + 90_000)
    await reporter.write('host:8080')
    await away.close()
    db = deps.db
    await reporter.write('host:8080')
    await reporter.write('host:8080')
    const outage = (await reported())?.report.postgresOutage
    assert.deepEqual([outage?.from, outage?.to], [from, from + 90_000])
    assert.match(outage?.reason ?? '', /ECONNREFUSED|CONNECT/)
  })

  test('that died is noticed by the others, from what Postgres holds', async () => {
    await new ReplicaReporter(deps).write('host:8080')
    await deps.db.sql`update control_replicas set seen_at = now() - interval '5 minutes'`
    const judge = async () => await withLease(deps, 'alerts', (lease) => judgeAlerts(deps, lease))
    await judge()
    deps.setNow(deps.now() + 60_000)
    await judge()
    const open = await deps.db
      .sql`select rule, subject from alerts where state = 'open' and rule = 'control-down'`
    assert.deepEqual([...open], [{ rule: 'control-down', subject: 'host:8080' }])
  })

  test('after a pause of a minute, hold times start anew', async () => {
    await new ReplicaReporter(deps).write('host:8080')
    await deps.db.sql`update control_replicas set seen_at = now() - interval '5 minutes'`
    const judge = async () => await withLease(deps, 'alerts', (lease) => judgeAlerts(deps, lease))
    await judge()
    await deps.db.sql`update leases set succeeded_at = now() - interval '61 seconds' where name = 'alerts'`
    deps.setNow(deps.now() + 600_000)
    await judge()
    const states = await deps.db.sql`select state from alerts where rule = 'control-down'`
    assert.deepEqual([...states], [{ state: 'pending' }])
  })
})

suite("the dead man's webhook", () => {
  let deps: TestDeps
  beforeEach(async () => {
    deps = await testDeps()
  })
  afterEach(async () => await deps.db.close())

  test('is requested while NATS answers and no timer is overdue, and not otherwise', async () => {
    const listener = await hookListener()
    let isUp = true
    const bus = { ping: async () => (isUp ? undefined : Promise.reject(new Error('NATS is down'))) }
    const alerting = { channels: [], deadManUrl: `${listener.url}/ping`, consoleUrl: undefined }
    const timers = [
      { name: 'rollups', everyMs: 5_000 },
      { name: 'dead-man', everyMs: 30_000 },
    ]
    const watched = { ...deps, alerting, timers, bus: bus as unknown as TestDeps['bus'] }
    const ping = async () => await withLease(deps, 'dead-man', (lease) => pingDeadMan(watched, lease))
    const age = async (name: string) =>
      await deps.db.sql`update leases set succeeded_at = now() - interval '10 minutes' where name = ${name}`

    await ping()
    assert.deepEqual(
      listener.received.map(({ method, path }) => [method, path]),
      [['GET', '/ping']],
    )
    isUp = false
    await assert.rejects(ping(), /not pinged: NATS: NATS is down/)
    isUp = true
    await withLease(deps, 'rollups', async () => {})
    await age('rollups')
    await assert.rejects(ping(), /not pinged: rollups: no replica has finished it/)
    await withLease(deps, 'rollups', async () => {})
    // After an outage of the monitor its own timer is overdue.
    await age('dead-man')
    await ping()
    assert.equal(listener.received.length, 2)
    listener.answer = () => 500
    await assert.rejects(ping(), /answered 500/)
    await listener.close()
  })

  test('does nothing if it is not configured', async () => {
    await withLease(deps, 'dead-man', (lease) => pingDeadMan(deps, lease))
  })
})
