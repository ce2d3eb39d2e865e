/** An edge with its own credential that sends what no edge should: it harms no other edge, and operators see which edge it is. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { after, before, suite, test } from 'node:test'
import { DiscardPolicy, jetstream, jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import { traceSchema } from '@imapfleet/api'
import {
  encode,
  reportsOfEdgeMax,
  streams,
  subjects,
  traceBytesMax,
  tracesOfEdgeMax,
} from '@imapfleet/protocol'
import { Plane } from '../support/plane.ts'
import { connectNats, type SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

interface EdgeAnswer {
  state: string
  lastSeenAt: string
  problems: { kind: string; text: string }[]
}

suite('a hostile edge', () => {
  let plane: Plane
  let evil: SimulatedEdge
  let honest: SimulatedEdge
  /** With control's own credential. */
  let admin: NatsConnection
  let manager: JetStreamManager
  before(async () => {
    plane = await Plane.start({ perEdge: true })
    admin = await connectNats(plane.nats, { credentialsFile: plane.nats.keys?.credentialsFile })
    manager = await jetstreamManager(admin)
    evil = await plane.edge('eu', 'eu-evil')
    honest = await plane.edge('us', 'us-1')
  })
  after(async () => {
    await admin?.close()
    await plane?.stop()
  })

  const edgeOf = async ({ address }: SimulatedEdge) =>
    (await plane.api(`/v1/edges/${address.edge}`)).body as EdgeAnswer
  const page = async (path: string) => {
    const headers = { authorization: `Bearer ${plane.token}` }
    return await (await fetch(`${plane.control.api}${path}`, { headers })).text()
  }
  const beats = (edge: SimulatedEdge, heartbeatMs: number) => {
    const timer = setInterval(() => edge.beat({ heartbeatMs }), heartbeatMs)
    return () => clearInterval(timer)
  }

  test('a forged series never reaches the metrics page, and an impossible count stores nothing', async () => {
    honest.beat({ counters: { client_bytes_total: 7 } })
    evil.beat({
      counters: {
        'client_bytes_total 1\nimapfleet_edge_up{edge="us-1"}': 0,
        'client_bytes_total{edge="us-1",region="us"}': 666,
        'sessions_total{ending="x\nimapfleet_edge_up{edge=\\"us-1\\"} 0"}': 666,
        client_connections_total: 3,
      },
      gauges: { edge_up: 0 },
    })
    const metricsPage = await until('both edges', async () => {
      const metrics = await page('/v1/metrics')
      return metrics.includes('edge="us-1",region="us"} 7') &&
        metrics.includes('edge="eu-evil",region="eu"} 3')
        ? metrics
        : undefined
    })
    assert.match(metricsPage, /^imapfleet_edge_up\{edge="us-1",region="us"\} 1$/m)
    assert.doesNotMatch(metricsPage, /imapfleet_edge_up\{edge="us-1"\}/)
    for (const line of metricsPage.split('\n')) {
      assert.doesNotMatch(line, / 666$/)
      assert.match(line, /^(#.*|imapfleet_[a-z_]+(\{[a-z_]+="[^"\\]*"(,[a-z_]+="[^"\\]*")*\})? -?[\d.e-]+|)$/)
    }

    evil.beat({ counters: { client_connections_total: 1e308 } })
    evil.beat({ logins: { sum: 1e308, counts: { 80: 1 } } })
    await until('the problem of the edge', async () =>
      (await edgeOf(evil)).problems.some(({ text }) => text.includes('a value that no edge can have')),
    )
    assert.deepEqual((await edgeOf(honest)).problems, [])
    await until('the metric of the edge', async () =>
      /^imapfleet_control_refused_total\{edge="eu-evil",sent_as="heartbeat",reason="malformed"\} 2$/m.test(
        await page('/metrics'),
      ),
    )
  })

  test('an edge that invents labels fills its own quota; new series of others are stored', async () => {
    for (let report = 0; report < 12; report++) {
      const labels = Array.from(
        { length: 1_500 },
        (_, index) => `upstream_reuses_total{upstream="x${report}-${index}"}`,
      )
      await evil.send(evil.report({ counters: Object.fromEntries(labels.map((key) => [key, 1])) }))
    }
    await honest.send(honest.report({ counters: { 'upstream_reuses_total{upstream="brand-new"}': 5 } }))
    const charged = async () =>
      await plane.sql<{ edge: string; count: number }[]>`
        select introduced_by as edge, count(*)::int as count from series group by 1 order by 1`
    const counts = await until('all reports', async () => {
      const rows = await charged()
      const [stored] = await plane.sql<{ count: number }[]>`select count(*)::int as count from reports`
      return stored?.count === 13 && rows.length === 2 ? rows : undefined
    })
    assert.deepEqual(
      counts.map(({ edge, count }) => [edge, count]),
      [
        ['eu-evil', 2_000],
        ['us-1', 1],
      ],
    )
    await until('the problem of the edge', async () =>
      (await edgeOf(evil)).problems.some(({ text }) => text.includes('more series than one edge may have')),
    )
  })

  test('a flood of heartbeats makes no other edge silent, and the API answers', async () => {
    const beganAt = Date.now()
    const stop = beats(honest, 1_000)
    evil.beat()
    // What counts from here on is this interval, and not the default of earlier heartbeats.
    for (const edge of [honest, evil])
      await until(edge.address.edge, async () => Date.parse((await edgeOf(edge)).lastSeenAt) > beganAt)
    const noise = new TextEncoder().encode('{}')
    let sent = 0
    let flooding = true
    const flood = (async () => {
      while (flooding) {
        for (let burst = 0; burst < 1_400; burst++) evil.nats.publish(subjects.presence(evil.address), noise)
        sent += 1_400
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
      await evil.nats.flush()
    })()
    try {
      const began = Date.now()
      let slowest = 0
      while (Date.now() - began < 10_000) {
        const asked = Date.now()
        assert.equal((await edgeOf(honest)).state, 'serving')
        slowest = Math.max(slowest, Date.now() - asked)
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
      assert.ok(sent > 100_000, `only ${sent} were sent`)
      assert.ok(slowest < 2_000, `the API took ${slowest} ms`)
      await until('the problem of the edge', async () =>
        (await edgeOf(evil)).problems.some(({ text }) => text.includes('more than one edge may send')),
      )
    } finally {
      flooding = false
      await flood
      stop()
    }
    const log = readFileSync(plane.control.process.logFile, 'utf8')
    const lines = log.split('\n').filter((line) => line.includes('edge=eu-evil') && line.includes('too-many'))
    assert.equal(lines.length, 1)
  })

  test('a flood of reports leaves room in the stream, and the reports of others are stored', async () => {
    const body = encode({ v: 1, padding: 'x'.repeat(2_000) })
    let flooding = true
    const flood = (async () => {
      while (flooding) {
        for (let burst = 0; burst < 500; burst++) evil.nats.publish(subjects.report(evil.address), body)
        await evil.nats.flush().catch(() => {})
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    })()
    try {
      for (let report = 0; report < 20; report++)
        await honest.send(honest.report({ counters: { client_connections_total: report } }))
      await until('the honest reports', async () => {
        const [row] = await plane.sql<{ count: number }[]>`
          select count(*)::int as count from reports where boot = ${honest.boot}`
        return row?.count === 21
      })
      const { state: waiting } = await manager.streams.info(streams.reports)
      assert.ok(waiting.messages <= reportsOfEdgeMax + 100, `${waiting.messages} wait`)
    } finally {
      flooding = false
      await flood
    }
  })

  test('a flood of lines of traces fills the share of its edge, and the trace of another edge stays complete', async () => {
    const { body } = await plane.api('/v1/traces', { body: { user: 'ann', seconds: 600 } })
    const { id } = traceSchema.parse(body)
    const lineOf = (text: string) => ({ at: Date.now(), session: 's', from: 'C', text }) as const
    for (const edge of [evil, honest]) edge.beat({ heartbeatMs: 60_000 })
    const { config } = await manager.streams.info(streams.traces)
    await manager.streams.update(streams.traces, { ...config, max_bytes: 50_000_000 })
    await honest.trace(id, 'ann', [lineOf('A1 before the flood')])

    const flood = async (subject: () => string, size: number, count: number) => {
      const noise = new Uint8Array(size).fill(0x20)
      for (let sent = 0; sent < count; sent++) {
        evil.nats.publish(subject(), noise)
        if (sent % 50 === 0) await evil.nats.flush()
      }
      await evil.nats.flush()
    }
    const own = () => subjects.trace(evil.address)
    await flood(() => `imapfleet.trace.eu.eu-evil.${randomUUID()}`, 900_000, 60)
    await flood(own, 900_000, 10)
    await flood(own, traceBytesMax - 500, 2 * tracesOfEdgeMax)
    await honest.trace(id, 'ann', [lineOf('A2 after the flood')])
    const linesOf = async () =>
      (await page(`/v1/traces/${id}/lines`))
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line) as { kind: string; edge: string; text?: string })
        .filter(({ kind }) => kind === 'line')
        .map(({ edge, text }) => [edge, text])
    const complete = [
      ['us-1', 'A1 before the flood'],
      ['us-1', 'A2 after the flood'],
    ]
    assert.deepEqual(await linesOf(), complete)
    await until('the problem of the edge', async () =>
      (await edgeOf(evil)).problems.some(({ text }) => text.startsWith('NATS refuses its trace lines')),
    )
    // Control has made room, so that the edge can be traced.
    const forged = { ...lineOf('A3 forged'), session: id }
    await until(
      'room',
      async () =>
        await evil.trace(id, 'ann', [forged]).then(
          () => true,
          () => false,
        ),
    )
    await evil.trace(id, 'bob', [forged])
    await evil.trace(randomUUID(), 'ann', [forged])
    assert.deepEqual(await linesOf(), [...complete, ['eu-evil', 'A3 forged']])
    assert.ok((await edgeOf(honest)).problems.every(({ kind }) => kind !== 'refused'))
  })

  test('an edge of an earlier version is shown, because its lines of traces are refused', async () => {
    const earlier = await plane.edge('eu', 'eu-earlier')
    await until('the problem', async () => {
      earlier.beat({ rights: undefined })
      const { status } = await plane.api('/v1/edges/eu-earlier')
      return (
        status === 200 &&
        (await edgeOf(earlier)).problems.some(({ text }) => text.includes('upgrade the edge'))
      )
    })
    await assert.rejects(
      jetstream(earlier.nats).publish(`imapfleet.trace.eu.eu-earlier.${randomUUID()}`, encode({})),
      /[Pp]ermission/,
    )
  })

  test('a stream that an older version made gets the limit for each edge, and keeps what an operator has set', async () => {
    const configOf = async () => (await manager.streams.info(streams.reports)).config
    const restart = async () => {
      await plane.control.process.stop()
      await plane.control.process.start()
    }
    await manager.streams.update(streams.reports, {
      ...(await configOf()),
      max_msgs_per_subject: -1,
      discard_new_per_subject: false,
      max_msg_size: -1,
      max_bytes: 50_000_000,
    })
    const traces = (await manager.streams.info(streams.traces)).config
    await manager.streams.update(streams.traces, {
      ...traces,
      subjects: ['imapfleet.trace.*.*.*'],
      discard: DiscardPolicy.Old,
      discard_new_per_subject: false,
      max_msgs_per_subject: -1,
      max_msg_size: -1,
      max_bytes: 40_000_000,
    })
    const evidence = (await manager.streams.info(streams.evidence)).config
    await manager.streams.update(streams.evidence, { ...evidence, max_msg_size: 65_536 })
    await restart()
    await until('the limit', async () => (await configOf()).max_msgs_per_subject === reportsOfEdgeMax)
    const { discard_new_per_subject: isPerSubject, max_bytes: bytes } = await configOf()
    assert.deepEqual([isPerSubject, bytes], [true, 50_000_000])
    const isLimited = async () =>
      (await manager.streams.info(streams.traces)).config.max_msgs_per_subject === tracesOfEdgeMax
    await until('the limit of lines of traces', isLimited)
    const { config: limited } = await manager.streams.info(streams.traces)
    assert.deepEqual(limited, { ...traces, max_bytes: 40_000_000 })
    assert.deepEqual((await manager.streams.info(streams.evidence)).config, evidence)
    await manager.streams.update(streams.reports, { ...(await configOf()), max_msgs_per_subject: 9_000 })
    await restart()
    await until('control', async () => (await plane.api('/v1/edges')).status === 200)
    assert.equal((await configOf()).max_msgs_per_subject, 9_000)
  })

  test('the largest reports that wait for control do not cost it its connection to NATS', async () => {
    const large = await Promise.all(['eu-a', 'eu-b', 'eu-c'].map((id) => plane.edge('eu', id)))
    await plane.control.process.stop()
    const upstream = 'x'.repeat(75)
    const counters = Object.fromEntries(
      Array.from({ length: 1_900 }, (_, index) => [
        `upstream_reuses_total{upstream="${upstream}-${index}"}`,
        index,
      ]),
    )
    // In turn, so that the first ones are of all edges.
    for (let sent = 1; sent <= 200; sent++) {
      for (const edge of large)
        edge.nats.publish(subjects.report(edge.address), encode(edge.report({ counters })))
      if (sent % 10 === 0) for (const edge of large) await edge.nats.flush()
    }
    const logged = readFileSync(plane.control.process.logFile, 'utf8').length
    await plane.control.process.start()
    await until('some of all edges', async () => {
      const rows = await plane.sql<{ count: number }[]>`
        select count(*)::int as count from reports where boot in ${plane.sql(large.map(({ boot }) => boot))}
        group by boot`
      return rows.length === large.length && rows.every(({ count }) => count >= 20)
    })
    const log = readFileSync(plane.control.process.logFile, 'utf8').slice(logged)
    assert.doesNotMatch(log, /the connection was lost/)
  })
})
