/** The filters of the audit log, on a real Postgres. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { testDeps, type TestDeps } from '../../deps.test-support.ts'
import type { AuditPage } from './queries.ts'
import { listAudit, writeAudit } from './service.ts'

suite('the audit log', () => {
  let deps: TestDeps
  before(async () => {
    deps = await testDeps()
    const entries = [
      ['2026-11-28T01:00:00Z', 'ann', 'edges.drain', 'edge/eu-1'],
      ['2026-11-28T02:00:00Z', 'ben', 'edges.resume', 'edge/EU-1'],
      ['2026-11-28T03:00:00Z', 'ann', 'config.revise', 'region/eu'],
      ['2026-11-28T04:00:00Z', 'ann', 'order.give', '100%_of it'],
    ] as const
    for (const [at, actor, action, target] of entries) {
      await writeAudit(deps.db.orm, { actor, action, target })
      await deps.db.sql`update audit set at = ${at} where id = (select max(id) from audit)`
    }
  })
  after(async () => await deps?.db.close())

  const actions = async (page: Omit<AuditPage, 'limit'>) =>
    (await listAudit(deps, { limit: 10, ...page })).entries.map(({ action }) => action)

  test('a target is found by a part of it in any case, and no character of it is a wildcard', async () => {
    assert.deepEqual(await actions({ target: 'eu-1' }), ['edges.resume', 'edges.drain'])
    assert.deepEqual(await actions({ target: 'EU' }), ['config.revise', 'edges.resume', 'edges.drain'])
    assert.deepEqual(await actions({ target: '0%_' }), ['order.give'])
    assert.deepEqual(await actions({ target: '%' }), ['order.give'])
    assert.deepEqual(await actions({ target: '_u' }), [])
  })

  test('a time range has its start but not its end, in any time zone, together with the other filters', async () => {
    const from = '2026-11-28T02:00:00Z'
    assert.deepEqual(await actions({ from, to: '2026-11-28T04:00:00Z' }), ['config.revise', 'edges.resume'])
    assert.deepEqual(await actions({ from: '2026-11-28T04:00:00+02:00', to: '2026-11-28T04:00:01+02:00' }), [
      'edges.resume',
    ])
    assert.deepEqual(await actions({ from, actor: 'ann', target: 'eu' }), ['config.revise'])
  })
})
