/** Forgetting an edge. If it comes back, it has missed nothing and is listed again. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { node, programFiles } from '@imapfleet/local'
import {
  liveFleetSchema,
  type AuditEntry,
  type EdgeView,
  type History,
  type OrderView,
  type ProblemDetails,
  type RevisionStatus,
  type RevocationStatus,
  type RolloutView,
} from '@imapfleet/api'
import { createParser } from 'eventsource-parser'
import { runCommand } from '../support/command.ts'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const steady = { heartbeatMs: 60_000 }

suite('forgetting an edge', () => {
  let plane: Plane
  let eu: SimulatedEdge
  let us: SimulatedEdge
  /** The edge to forget. */
  let gone: SimulatedEdge
  const leaving = new AbortController()
  before(async () => {
    plane = await Plane.start()
    eu = await plane.edge('eu', 'eu-1')
    us = await plane.edge('us', 'us-1')
    gone = await plane.edge('us', 'us-9')
    for (const edge of [eu, us, gone]) edge.beat(steady)
    await until('all of them', async () => (await listed()).length === 3)
  })
  after(async () => {
    leaving.abort()
    await plane?.stop()
  })

  const listed = async () =>
    ((await plane.api('/v1/edges')).body as { edges: EdgeView[] }).edges.map(({ id }) => id)
  const shown = async (id: string) => (await plane.api(`/v1/edges/${id}`)).body as EdgeView
  const forget = async (id: string, token?: string) => {
    const { status, body } = await plane.api(`/v1/edges/${id}`, {
      method: 'DELETE',
      ...(token !== undefined && { token }),
    })
    return { status, edge: body as EdgeView, problem: body as ProblemDetails }
  }
  const fallSilent = async (edge: SimulatedEdge) => {
    edge.beat({ heartbeatMs: 1 })
    await until('its silence', async () => (await shown(edge.address.edge)).state === 'silent')
  }
  const comeBack = async (edge: SimulatedEdge) => {
    edge.beat(steady)
    await until('its return', async () => (await listed()).includes(edge.address.edge))
  }
  const audited = async (action: string) =>
    ((await plane.api(`/v1/audit?action=${action}`)).body as { entries: AuditEntry[] }).entries
  const reportSessions = async (sessions: number, agoMs: number) =>
    await gone.send(
      gone.report({ counters: { 'sessions_total{ending="logout"}': sessions } }, Date.now() - agoMs),
    )
  const sessionsOf = async (edge: string, count: number) => {
    // Another edge reports now. The forgotten one is more than a minute behind it, so its unfinished step is shown too.
    await eu.send(eu.report({}))
    const question = `/v1/stats/history?metrics=sessions_total&groupBy=edge&edge=${edge}&from=-1h`
    await until(`the history of ${edge}`, async () => {
      const { groups } = (await plane.api(question)).body as History
      return groups[0]?.group === edge && groups[0].totals[0] === count
    })
  }
  const metricsPage = async () => {
    const answer = await fetch(`${plane.control.api}/v1/metrics`, {
      headers: { authorization: `Bearer ${plane.token}` },
    })
    return await answer.text()
  }

  /** Ids of the edges in the live view, updated until the suite ends. */
  async function liveNames(query = ''): Promise<Set<string>> {
    const names = new Set<string>()
    const response = await fetch(`${plane.control.api}/v1/live${query}`, {
      headers: { authorization: `Bearer ${plane.token}` },
      signal: leaving.signal,
    })
    const parser = createParser({
      onEvent({ data }) {
        const { edges, gone: left = [] } = liveFleetSchema.parse(JSON.parse(data))
        for (const id of left) names.delete(id)
        for (const { id } of edges) names.add(id)
      },
    })
    const decoder = new TextDecoder()
    void (async () => {
      for await (const chunk of response.body!)
        parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
    })().catch(() => {})
    return names
  }

  test('an edge that still sends heartbeats is not forgotten, and the refusal says what to do first', async () => {
    const { status, problem } = await forget('us-9')
    assert.deepEqual([status, problem.code], [409, 'edge_present'])
    assert.match(problem.detail ?? '', /^us-9 sent a heartbeat \d+ s ago: stop it or revoke its credential/)
    assert.ok((await listed()).includes('us-9'))
    assert.deepEqual(await audited('edge.forget'), [])
  })

  test('only an operator can forget an edge, and only one that exists', async () => {
    const [viewer, operator] = [
      await plane.control.createToken('viewer', 'viewer'),
      await plane.control.createToken('operator', 'operator'),
    ]
    await fallSilent(gone)
    const refused = await forget('us-9', viewer)
    assert.deepEqual([refused.status, refused.problem.code], [403, 'forbidden'])
    const unknown = await forget('moon-1', operator)
    assert.deepEqual([unknown.status, unknown.problem.code], [404, 'edge_unknown'])
    assert.ok((await listed()).includes('us-9'))
  })

  test('it is in no list, live view or metrics, no order waits for it, and its history stays', async () => {
    await reportSessions(0, 90_000)
    await reportSessions(7, 80_000)
    const [live, region] = [await liveNames(), await liveNames('?region=us')]
    await until('it in the live view', () => live.has('us-9') && region.has('us-9'))
    assert.match(await metricsPage(), /us-9/)

    const { status, edge } = await forget('us-9')
    assert.equal(status, 200)
    assert.ok(edge.forgottenAt)
    assert.deepEqual(await listed(), ['eu-1', 'us-1'])
    assert.deepEqual(
      ((await plane.api('/v1/edges?limit=1&after=us-9')).body as { edges: EdgeView[] }).edges,
      [],
      'a reader on that page continues after it',
    )
    await until('it out of the live view', () => !live.has('us-9') && !region.has('us-9'))
    assert.deepEqual([...live].sort(), ['eu-1', 'us-1'])
    assert.doesNotMatch(await metricsPage(), /us-9/)

    const order = (target: object) =>
      plane.api('/v1/orders', { body: { action: { kind: 'version' }, target, timeoutMs: 200 } })
    const names = ({ body }: { body: unknown }) => (body as OrderView).edges.map(({ id }) => id)
    assert.deepEqual(names(await order({ kind: 'all' })), ['eu-1', 'us-1'])
    assert.deepEqual(names(await order({ kind: 'region', name: 'us' })), ['us-1'])
    const alone = await order({ kind: 'edge', name: 'us-9' })
    assert.deepEqual([alone.status, (alone.body as ProblemDetails).code], [404, 'edge_unknown'])

    await sessionsOf('us-9', 7)
  })

  test('it is recorded once, with the actor and the edge, however often it is requested', async () => {
    const { status, edge } = await forget('us-9')
    assert.deepEqual([status, edge.forgottenAt], [200, (await shown('us-9')).forgottenAt])
    const entries = await audited('edge.forget')
    assert.deepEqual(
      entries.map(({ actor, target, before: was, after: is }) => [
        actor,
        target,
        (was as { region: string }).region,
        (was as { lastSeenAt: string }).lastSeenAt,
        (is as { forgottenAt: string }).forgottenAt,
      ]),
      [['tests', 'edge/us-9', 'us', edge.lastSeenAt, edge.forgottenAt]],
    )
  })

  test('when it comes back, revocations that it missed are in its entry first, and it is in the fleet again', async () => {
    const { body } = await plane.api('/v1/revocations', { body: { kind: 'user', subject: 'ann' } })
    const { revocation, edges } = body as RevocationStatus
    assert.deepEqual(
      edges.map(({ id }) => id),
      ['eu-1', 'us-1'],
    )
    // It reads its entry before it sends anything. That prevents that a revoked connection is leased.
    assert.deepEqual(
      (await gone.desired())?.revocations.map(({ subject }) => subject),
      ['ann'],
    )
    // A report that was delayed for long does not bring it back.
    await reportSessions(9, 65_000)
    await sessionsOf('us-9', 9)
    assert.ok(!(await listed()).includes('us-9'))

    const live = await liveNames()
    await until('the others', () => live.size === 2)
    await comeBack(gone)
    assert.equal((await shown('us-9')).forgottenAt, undefined)
    await until('it in the live view', () => live.has('us-9'))
    assert.match(await metricsPage(), /imapfleet_edge_up\{edge="us-9",region="us"\} 1/)
    assert.deepEqual(
      (await audited('edge.return')).map(({ actor, target }) => [actor, target]),
      [['imapfleet-control', 'edge/us-9']],
    )
    const status = async () =>
      ((await plane.api(`/v1/revocations/${revocation.sequence}`)).body as RevocationStatus).edges.find(
        ({ id }) => id === 'us-9',
      )?.status
    assert.equal(await status(), 'pending')
    gone.beat({ ...steady, revocations: revocation.sequence })
    await until('it applied', async () => (await status()) === 'applied')
    assert.equal((await forget('us-9')).problem.code, 'edge_present')
  })

  const apply = (revision: number, ...edges: SimulatedEdge[]) => {
    for (const edge of edges) edge.beat({ ...steady, config: { applied: revision } })
  }
  let usesMax = 100
  const roll = async (canaryEdges: string[]) => {
    const rollout = { soakSeconds: 0, silenceSeconds: 3_600, canaryEdges }
    const change = { layer: { kind: 'global' }, set: { 'pool.usesMax': ++usesMax } }
    const { status, body } = await plane.api('/v1/config/revisions', { body: { ...change, rollout } })
    return { status, body, revision: (body as RevisionStatus).revision?.revision }
  }
  const rolloutOf = async (revision: number) =>
    (await plane.api(`/v1/rollouts/${revision}`)).body as RolloutView
  const wave = (name: string, revision: number) =>
    until(`the wave ${name}`, async () =>
      (await rolloutOf(revision)).waves.some((each) => each.name === name && each.state === 'current'),
    )
  const completed = (revision: number) =>
    until('the end of the rollout', async () => {
      const rollout = await rolloutOf(revision)
      return rollout.state === 'completed' && rollout
    })
  const statusOf = ({ waves }: RolloutView, id: string) =>
    waves.flatMap(({ edges }) => edges).find((edge) => edge.id === id)?.status

  test('a rollout that waits for it continues without it, also if it comes back during the rollout', async () => {
    const { revision } = await roll(['eu-1', 'us-9'])
    await fallSilent(gone)
    const { status, problem } = await forget('us-9')
    assert.equal(status, 200, problem.detail ?? 'no detail')
    await comeBack(gone)
    apply(revision, eu)
    await wave('us', revision)
    apply(revision, us)
    assert.equal(statusOf(await completed(revision), 'us-9'), 'skipped')
  })

  test('a wave that started without it does not wait for it when it comes back', async () => {
    const { revision } = await roll(['eu-1'])
    await fallSilent(gone)
    await forget('us-9')
    apply(revision, eu)
    await wave('us', revision)
    await comeBack(gone)
    apply(revision, us)
    assert.equal(statusOf(await completed(revision), 'us-9'), 'skipped')
  })

  test('a rollout that started without it does not include it, but it gets the released revision', async () => {
    await fallSilent(gone)
    await forget('us-9')
    const canary = await roll(['us-9'])
    assert.deepEqual([canary.status, (canary.body as ProblemDetails).code], [404, 'edge_unknown'])
    const { revision } = await roll(['eu-1'])
    assert.deepEqual(
      (await rolloutOf(revision)).waves.flatMap(({ edges }) => edges.map(({ id }) => id)),
      ['eu-1', 'us-1'],
    )
    apply(revision, eu, us)
    await completed(revision)
    await until('its entry', async () => (await gone.desired())?.config.revision === revision)
  })

  test('the command forgets an edge only if it is confirmed, and shows the edge that it has forgotten', async () => {
    await comeBack(gone)
    await fallSilent(gone)
    const env = { IMAPFLEET_SERVER: plane.control.api, IMAPFLEET_TOKEN: plane.token }
    const edges = (...words: string[]) => runCommand(node, [programFiles.cli, 'edges', ...words], { env })
    const unsure = await edges('forget', 'us-9')
    assert.deepEqual([unsure.status, unsure.stdout], [2, ''])
    assert.match(unsure.stderr, /use --yes/)
    assert.ok((await listed()).includes('us-9'))

    const sure = await edges('forget', 'us-9', '--yes')
    assert.equal(sure.status, 0, sure.stderr)
    assert.match(sure.stdout, /^us-9 is forgotten;/)
    assert.doesNotMatch((await edges()).stdout, /us-9/)
    assert.match((await edges('show', 'us-9')).stdout, /^forgotten +\d/m)
    const refused = await edges('forget', 'eu-1', '--yes')
    assert.equal(refused.status, 1)
    assert.match(refused.stderr, /stop it or revoke its credential/)
  })
})
