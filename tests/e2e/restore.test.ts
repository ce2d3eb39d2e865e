/**
 * Postgres is restored from an older dump or is lost, the bucket of desired states is kept or lost, and the edges run, are
 * restarted, or are down until control runs. Whatever is given afterwards takes effect on every edge, and is shown as applied only then.
 */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { EdgeView, RevisionStatus, RevocationStatus } from '@imapfleet/api'
import {
  appliedBy,
  connectionsOf,
  domains,
  RestorableFleet,
  edgeStatsAt,
  warm,
} from '../support/restorable.ts'
import { until } from '../support/until.ts'

interface Audited {
  action: string
  after: { evidence: string; lostSince: string; revoked: string[] } | null
}

suite('after the restore of an older database', () => {
  let fleet: RestorableFleet
  let count = 0
  before(async () => (fleet = await RestorableFleet.start()))
  after(() => fleet?.stop())

  const idleTimeouts = () => fleet.edges.map((edge) => appliedBy(edge)?.config.layer['pool'])
  const pool = (ms: number) => [{ idleTimeoutMs: ms }, { idleTimeoutMs: ms }]
  /** Given again if it meets one of the connections to Postgres that a dump ends. */
  const give = async (path: string, order: unknown) =>
    await until('control to have Postgres', async () => {
      const answer = await fleet.api(path, order)
      return (answer.body as { code?: string }).code !== 'database_unavailable' && answer
    })
  const revise = async (ms: number) => {
    const change = { layer: { kind: 'global' }, set: { 'pool.idleTimeoutMs': ms } }
    const { status, body } = await give('/v1/config/revisions', change)
    assert.equal(status, 201, JSON.stringify(body))
    return body as RevisionStatus
  }
  const revoke = async (subject: string) => {
    const pace = { kind: 'at-once', reason: 'a test' }
    const { status, body } = await give('/v1/revocations', { kind: 'domain', subject, pace })
    assert.equal(status, 201, JSON.stringify(body))
    return body as RevocationStatus
  }
  const restores = async () => {
    const { body } = await fleet.api('/v1/audit?action=fleet.restore')
    return (body as { entries: Audited[] }).entries
  }

  /** Both edges serve, with the revision before the dump, and idle connections of alice, bob and carol. */
  const prepare = async () => {
    count += 1
    // A test that failed may have left it stopped.
    fleet.us.edge.process.send('SIGCONT')
    // The restore of the previous test was reported earlier. Edges still report its versions.
    await fleet.plane.sql`update fleet set restored_at = restored_at - interval '1 day'`
    await until('both edges', async () => {
      const { body } = await fleet.api('/v1/edges')
      return (body as { edges: EdgeView[] }).edges.filter(({ state }) => state !== 'silent').length === 2
    })
    await fleet.api('/v1/edges/resume', { target: { kind: 'all' } })
    await revise(100_000 + count)
    await until('the revision before the dump', () => isEqual(idleTimeouts(), pool(100_000 + count)))
    await until('both serving', async () =>
      (await Promise.all(fleet.edges.map(edgeStatsAt))).every(({ state }) => state === 'serving'),
    )
    for (const edge of fleet.edges) for (const domain of domains) await warm(edge, domain)
  }

  /** After the dump: a revision, a revocation that both apply, and one that us-1 does not receive. */
  const change = async () => {
    await revise(200_000 + count)
    await until('the revision after the dump', () => isEqual(idleTimeouts(), pool(200_000 + count)))
    await revoke('carol.example')
    await until('carol', () => fleet.edges.every((edge) => connectionsOf(edge, 'carol.example') === 0))
    fleet.us.edge.process.send('SIGSTOP')
    await revoke('bob.example')
    await until('bob at eu-1', () => connectionsOf(fleet.eu, 'bob.example') === 0)
    assert.equal(connectionsOf(fleet.us, 'bob.example'), 1)
  }

  /** Both are shown as applied, and never by an edge that has not applied them. */
  const appliedOnlyThen = async (revision: number, sequence: number) => {
    await until('the revision', async () => {
      const { body } = await fleet.api(`/v1/config/revisions/${revision}`)
      const shown = statuses(body as RevisionStatus)
      const real = idleTimeouts()
      for (const [index, status] of shown.entries())
        if (status === 'applied') assert.deepEqual(real[index], { idleTimeoutMs: 300_000 + count })
      return isEqual(shown, ['applied', 'applied'])
    })
    await until('the revocation', async () => {
      const { body } = await fleet.api(`/v1/revocations/${sequence}`)
      const shown = statuses(body as RevocationStatus)
      const real = fleet.edges.map((edge) => connectionsOf(edge, 'alice.example'))
      for (const [index, status] of shown.entries()) if (status === 'applied') assert.equal(real[index], 0)
      return isEqual(shown, ['applied', 'applied'])
    })
  }

  const killEdges = async () => {
    for (const { edge } of fleet.edges) {
      edge.process.send('SIGCONT')
      await edge.process.kill()
    }
  }

  for (const from of ['dump', 'nothing'] as const)
    for (const bucket of ['kept', 'lost'] as const)
      for (const edges of ['running', 'restarted', 'down'] as const)
        test(`of ${from}, with the bucket ${bucket} and the edges ${edges}`, async () => {
          await prepare()
          const toldBefore = (await restores()).length
          await fleet.dump()
          await change()
          await fleet.plane.control.process.stop()
          // Control then hears of no edge what it ran before.
          if (edges === 'down') await killEdges()
          await fleet.restore(from)
          if (bucket === 'lost') await fleet.loseBucket()
          await fleet.plane.control.process.start()

          // Before any heartbeat. Control with an empty database knows no edges yet.
          const revision = (await revise(300_000 + count)).revision
          const revocation = (await revoke('alice.example')).revocation
          if (edges === 'running') fleet.us.edge.process.send('SIGCONT')
          if (edges === 'restarted') await killEdges()
          if (edges !== 'running') await Promise.all(fleet.edges.map(({ edge }) => edge.process.start()))
          await until('us-1', async () => {
            const { status } = await fleet.api('/v1/edges/drain', { target: { kind: 'edge', name: 'us-1' } })
            return status === 200
          })

          await appliedOnlyThen(revision.revision, revocation.sequence)
          await until('the drain', async () => (await edgeStatsAt(fleet.us)).state === 'draining')
          assert.equal((await edgeStatsAt(fleet.eu)).state, 'serving')

          const [told] = await until('the audit entry', async () => {
            const found = await restores()
            return found.length > (from === 'dump' ? toldBefore : 0) && found
          })
          assert.match(told?.after?.evidence ?? '', /this database did not issue \(e?u/)
          assert.equal(told?.after?.lostSince === 'the beginning', from === 'nothing')
          if (bucket === 'kept') {
            // us-1 was away when it was given, so its entry still had it.
            assert.ok(told?.after?.revoked.includes('domain bob.example'))
            await until('bob at us-1', () => connectionsOf(fleet.us, 'bob.example') === 0)
            const { body } = await fleet.api('/v1/revocations')
            const found = (body as { revocations: { subject: string; note: string }[] }).revocations
            assert.match(found.find(({ subject }) => subject === 'bob.example')?.note ?? '', /^recovered/)
          }
        })

  test('to which nothing is given: the edges return to the restored configuration, and it is told', async () => {
    await prepare()
    const toldBefore = (await restores()).length
    await fleet.dump()
    await change()
    await fleet.plane.control.process.stop()
    await fleet.restore('dump')
    await fleet.loseBucket()
    await fleet.plane.control.process.start()
    fleet.us.edge.process.send('SIGCONT')
    await until('the restored configuration', () => isEqual(idleTimeouts(), pool(100_000 + count)))
    await until('the audit entry', async () => (await restores()).length > toldBefore)
    const { body: shown } = await fleet.api('/v1/edges')
    assert.match((shown as { problems: string[] }).problems.join(), /restored from an older database/)
    await until('no drift', async () => {
      const { body } = await fleet.api('/v1/edges')
      return (body as { edges: EdgeView[] }).edges.every(({ problems }) => problems.length === 0)
    })
  })

  for (const bucket of ['kept', 'lost'] as const)
    test(`whose clock was ahead, with the bucket ${bucket}`, async () => {
      await prepare()
      // With the bucket lost, the dump too has versions ahead of the clock.
      if (bucket === 'kept') await fleet.dump()
      await fleet.plane.sql`update fleet set desired_version = desired_version + 3600000000`
      if (bucket === 'lost') await fleet.dump()
      await change()
      const ahead = Math.min(...fleet.edges.map((edge) => appliedBy(edge)?.version ?? 0))
      assert.ok(ahead > (Date.now() + 1_800_000) * 1000)
      await fleet.plane.control.process.stop()
      await fleet.restore('dump')
      if (bucket === 'lost') await fleet.loseBucket()
      await fleet.plane.control.process.start()
      const { revision } = await revise(300_000 + count)
      const { revocation } = await revoke('alice.example')
      fleet.us.edge.process.send('SIGCONT')
      await appliedOnlyThen(revision.revision, revocation.sequence)
      assert.ok(fleet.edges.every((edge) => (appliedBy(edge)?.version ?? 0) > ahead))
    })
})

const statuses = ({ edges }: { edges: { status: string }[] }): string[] => edges.map(({ status }) => status)

const isEqual = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b)
