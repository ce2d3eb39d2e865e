/** A replica of control that is stopped in the middle of its work, as by a hung host. The other one does the work instead. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { RevisionStatus, RolloutView } from '@imapfleet/api'
import type { ControlProcess } from '@imapfleet/local'
import { ObedientEdge } from '../support/obedient-edge.ts'
import { Plane } from '../support/plane.ts'
import { until } from '../support/until.ts'

suite('a replica of control that hangs', () => {
  let plane: Plane
  let replicas: ControlProcess[]
  const edges: ObedientEdge[] = []
  let beating: NodeJS.Timeout
  before(async () => {
    plane = await Plane.start()
    replicas = [plane.control, await plane.replica()]
    for (const id of ['eu-1', 'us-1']) {
      const edge = new ObedientEdge(await plane.edge(id.slice(0, 2), id))
      edge.heartbeatMs = 5_000
      edges.push(edge)
    }
    beating = setInterval(() => edges.forEach((edge) => edge.beat()), 500)
    for (const edge of edges) await until('its entry', async () => (await edge.edge.desired()) !== undefined)
  })
  after(async () => {
    clearInterval(beating)
    for (const { process } of replicas ?? []) process.send('SIGCONT')
    await plane?.stop()
  })

  const write = async (set: object, rest: object = {}, of: ControlProcess = plane.control) =>
    await fetch(`${of.api}/v1/config/revisions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${plane.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ layer: { kind: 'global' }, set, ...rest }),
    })
  /** Everything that a timer writes about rollouts and the fleet. */
  const written = async () => ({
    rollouts: [...(await plane.sql`select * from rollouts order by revision`)],
    revisions: [...(await plane.sql`select revision, state, version from revisions order by revision`)],
    audit: [...(await plane.sql`select action, actor, target from audit order by id`)],
    fleet: [...(await plane.sql`select desired_version from fleet`)],
  })

  test('its transaction and its leases end after seconds, the other replica goes on, and what it does later changes nothing', async () => {
    const made = await write(
      { 'pool.usesMax': 20 },
      { rollout: { canaryEdges: ['eu-1'], soakSeconds: 0, silenceSeconds: 60 } },
    )
    assert.equal(made.status, 201)
    const { revision } = ((await made.json()) as RevisionStatus).revision

    // A replica waits for this lock in the middle of a step of the rollout.
    const { hung, application } = await plane.sql.begin(async (tx) => {
      await tx`select 1 from fleet for update`
      const waiting = await until('a step of the rollout that waits', async () => {
        const [row] = await plane.sql`
          select application_name as name from pg_stat_activity
          where wait_event_type = 'Lock' and query ilike '%update "fleet"%' and exists (
            select from leases where name = 'rollouts' and until > now() and application_name like '%' || holder)`
        return row?.['name'] as string | undefined
      })
      const process = replicas.find(({ process: { pid } }) => waiting.endsWith(`/${pid}`))
      assert.ok(process, waiting)
      process.process.send('SIGSTOP')
      return { hung: process, application: waiting }
    })
    const other = replicas.find((replica) => replica !== hung)
    assert.ok(other)

    // The stopped replica now holds the row of the fleet. A change is refused after seconds, with the reason.
    const began = Date.now()
    const refused = await write({ 'log.level': 'debug' }, { layer: { kind: 'region', name: 'asia' } }, other)
    const problem = (await refused.json()) as { code: string; detail: string }
    assert.deepEqual([refused.status, problem.code], [503, 'database_busy'])
    assert.equal(refused.headers.get('retry-after'), '2')
    assert.ok(problem.detail.startsWith(`${application} (process `), problem.detail)
    assert.ok(Date.now() - began < 8_000)
    await until('the change', async () => {
      const answer = await write({ 'log.level': 'debug' }, { layer: { kind: 'region', name: 'asia' } }, other)
      return answer.status === 201
    })

    const rollout = async () =>
      (await plane.api(`/v1/rollouts/${revision}`, { of: other })).body as RolloutView
    await until('the end of the rollout', async () => (await rollout()).state === 'completed', 40_000)
    for (const { ran } of edges) assert.equal(ran.filter((number) => number === revision).length, 1)
    await until('a run of every timer that is due', async () => {
      const late = await plane.sql`
        select name from leases where succeeded_at < now() - interval '8 seconds'
          and name in ('rollouts', 'rollups', 'reconcile', 'operations')`
      return late.length === 0
    })

    const earlier = await written()
    hung.process.send('SIGCONT')
    await until(
      'a run of the timer by the replica that woke up',
      async () => {
        const [row] = await plane.sql`select holder from leases where name = 'rollouts'`
        return String(row?.['holder']).endsWith(`/${hung.process.pid}`)
      },
      40_000,
    )
    assert.deepEqual(await written(), earlier)
    assert.equal(earlier.audit.filter(({ action }) => action === 'rollout.complete').length, 1)
    // It answers again too.
    await until('its answer', async () => (await write({ 'pool.usesMax': 21 }, {}, hung)).status === 201)
  })
})
