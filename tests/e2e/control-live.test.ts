/** The current state of the fleet: the stream of the live view, `imapfleet top`, and the Prometheus page. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import { node, programFiles } from '@imapfleet/local'
import { liveFleetSchema, type LiveEdge } from '@imapfleet/api'
import { createParser } from 'eventsource-parser'
import { runCommand } from '../support/command.ts'
import { Plane } from '../support/plane.ts'
import type { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const sessions = (count: number) => ({
  'sessions_total{ending="logout"}': count,
  'logins_total{upstream="main",result="ok"}': count,
  'upstream_reuses_total{upstream="main"}': count,
})

suite('the live view', () => {
  let plane: Plane
  let eu: SimulatedEdge
  let us: SimulatedEdge
  const leaving = new AbortController()
  before(async () => {
    plane = await Plane.start()
    eu = await plane.edge('eu', 'eu-1')
    us = await plane.edge('us', 'us-1')
  })
  after(async () => {
    leaving.abort()
    await plane?.stop()
  })

  /** Edges according to the stream, updated until the test ends. */
  async function view(query = '', control = plane.control) {
    const edges = new Map<string, LiveEdge>()
    const names: string[] = []
    const response = await fetch(`${control.api}/v1/live${query}`, {
      headers: { authorization: `Bearer ${plane.token}` },
      signal: leaving.signal,
    })
    assert.equal(response.status, 200)
    const parser = createParser({
      onEvent({ event = '', data }) {
        names.push(event)
        if (event === 'trouble') return
        const news = liveFleetSchema.parse(JSON.parse(data))
        for (const id of news.gone ?? []) edges.delete(id)
        for (const edge of news.edges) edges.set(edge.id, edge)
      },
    })
    const decoder = new TextDecoder()
    const { promise: ended, resolve } = Promise.withResolvers<void>()
    void (async () => {
      for await (const chunk of response.body!)
        parser.feed(decoder.decode(chunk as Uint8Array, { stream: true }))
    })()
      .catch(() => {})
      .finally(resolve)
    return { edges, names, ended }
  }

  test('the stream starts with every edge, and then has rates between the last two heartbeats', async () => {
    const startedAt = Date.now()
    eu.beat({ at: startedAt, counters: sessions(100), gauges: { upstreams_idle: 7 } })
    us.beat({ at: startedAt, degraded: ['upstream main: refused'] })
    await until(
      'both edges',
      async () => ((await plane.api('/v1/edges')).body as { edges: unknown[] }).edges.length === 2,
    )
    const { edges, names } = await view()
    await until('the first event', () => edges.size === 2)
    assert.equal(names[0], 'fleet')
    assert.equal(edges.get('eu-1')?.sessionsPerSecond, null)
    assert.deepEqual(edges.get('us-1')?.degraded, ['upstream main: refused'])

    eu.beat({
      at: startedAt + 5_000,
      counters: { ...sessions(150), 'logins_total{upstream="main",result="failed"}': 5 },
    })
    await until('the rates', () => edges.get('eu-1')?.sessionsPerSecond !== null)
    const { sessionsPerSecond, reuseRatio, errorsPerSecond } = edges.get('eu-1')!
    assert.deepEqual(
      { sessionsPerSecond, reuseRatio, errorsPerSecond },
      {
        sessionsPerSecond: 10,
        reuseRatio: 1,
        errorsPerSecond: 1,
      },
    )

    eu.restart()
    eu.beat({ counters: sessions(3) })
    // Counters of another boot are not compared.
    await until('the restart', () => edges.get('eu-1')?.sessionsPerSecond === null)
  })

  test('an edge that becomes silent is shown as silent, and the view can be limited to its region', async () => {
    us.beat({ heartbeatMs: 100 })
    const { edges } = await view('?region=us')
    await until('silence', () => edges.get('us-1')?.state === 'silent')
    assert.deepEqual([...edges.keys()], ['us-1'])
  })

  test('while Postgres is unreachable the view says so, and continues automatically', async () => {
    const { names } = await view()
    await until('a tick', () => names.includes('tick'))
    await plane.postgres.process?.stop()
    await until('trouble', () => names.includes('trouble'))
    names.length = 0
    await plane.startPostgres()
    await until('a tick again', () => names.includes('tick'))
  })

  test('a control that stops ends its views immediately', async () => {
    const replica = await plane.replica()
    const { ended, names } = await view('', replica)
    await until('the first event', () => names.length > 0)
    await Promise.all([replica.process.stop(), ended])
  })

  test('one process serves at most two hundred views, also for concurrent requests', async () => {
    // One token gets a part of them only.
    const tokens = await Promise.all(
      Array.from(
        { length: 6 },
        async (_, index) => await plane.control.createToken(`viewer-${index}`, 'viewer'),
      ),
    )
    const url = `${plane.control.api}/v1/live`
    // An abandoned response is garbage-collected and its connection closed.
    const held: Response[] = []
    const ask = async (count: number, init: RequestInit) => {
      const answers = await Promise.all(
        Array.from({ length: count }, (_, index) => {
          const headers = { authorization: `Bearer ${tokens[index % tokens.length]}` }
          return fetch(url, { ...init, headers })
        }),
      )
      held.push(...answers)
      return answers.map(({ status }) => status)
    }
    const heads = await ask(210, { method: 'HEAD' })
    assert.deepEqual(new Set(heads), new Set([200]))
    const closing = new AbortController()
    const opened = await ask(210, { signal: closing.signal })
    const served = opened.filter((status) => status === 200).length
    // The views of other tests are still open.
    assert.ok(served > 190 && served <= 200, `${served} were served`)
    assert.equal(opened.filter((status) => status === 503).length, 210 - served)
    closing.abort()
    await until('room', async () => (await ask(1, { signal: leaving.signal }))[0] === 200)
    assert.ok(held.length > 420)
  })

  test('the Prometheus page has the last heartbeat of each edge, and only `edge_up` of a silent one', async () => {
    eu.beat({
      counters: sessions(42),
      gauges: { upstreams_idle: 9 },
      logins: { sum: 0.003, counts: { 80: 3 } },
    })
    us.beat({ counters: sessions(1), heartbeatMs: 1 })
    const page = await until('both in the page', async () => {
      const answer = await fetch(`${plane.control.api}/v1/metrics`, {
        headers: { authorization: `Bearer ${plane.token}` },
      })
      const text = await answer.text()
      return text.includes('logout"} 42') && text.includes('imapfleet_edge_up{edge="us-1",region="us"} 0')
        ? text
        : undefined
    })
    assert.match(page, /^imapfleet_sessions_total\{edge="eu-1",region="eu",ending="logout"\} 42$/m)
    assert.match(page, /^imapfleet_upstreams_idle\{edge="eu-1",region="eu"\} 9$/m)
    assert.match(page, /^imapfleet_login_seconds_count\{edge="eu-1",region="eu"\} 3$/m)
    assert.doesNotMatch(page, /^imapfleet_sessions_total\{edge="us-1"/m)
    // The format: each line is a comment or a sample, and each sample belongs to a declared metric.
    const announced = new Set<string>()
    for (const line of page.trimEnd().split('\n')) {
      const type = /^# TYPE (\w+) (counter|gauge|histogram)$/.exec(line)
      if (type) {
        assert.ok(!announced.has(type[1]!), `${type[1]} twice`)
        announced.add(type[1]!)
      } else if (!line.startsWith('# HELP ')) {
        const [, name = ''] = /^(\w+)(?:\{[^{}]+\})? -?[\d.e+-]+$/.exec(line) ?? []
        assert.ok(announced.has(name.replace(/_(bucket|sum|count)$/, '')) || announced.has(name), line)
      }
    }
    const anonymous = await fetch(`${plane.control.api}/v1/metrics`)
    assert.equal(anonymous.status, 401)
  })

  test('`imapfleet top --once` prints the fleet once, for people and for scripts', async () => {
    eu.beat({ counters: sessions(50) })
    const env = { IMAPFLEET_SERVER: plane.control.api, IMAPFLEET_TOKEN: plane.token }
    const top = (...words: string[]) =>
      runCommand(node, [programFiles.cli, 'top', '--once', ...words], { env })
    const table = await top('--sort', 'errors')
    assert.equal(table.status, 0, table.stderr)
    assert.match(table.stdout, /^fleet: \d of 2 edges .* sessions\/s/)
    assert.match(table.stdout, /^eu-1 +eu +serving /m)
    const json = await top('--region', 'us', '--output', 'json')
    const { edges } = JSON.parse(json.stdout) as { edges: { id: string }[] }
    assert.deepEqual(
      edges.map(({ id }) => id),
      ['us-1'],
    )
    const alone = await runCommand(node, [programFiles.cli, 'top'], { env })
    assert.equal(alone.status, 2)
    assert.match(alone.stderr, /needs a terminal: use --once/)
  })

  test('an edge that moves to another region leaves the view of the old region and appears in that of the new one', async () => {
    const here = await plane.edge('eu', 'mover')
    here.beat()
    const [ofEu, ofUs, ofAll] = await Promise.all([view('?region=eu'), view('?region=us'), view()])
    await until('it in its region', () => ofEu.edges.has('mover') && ofAll.edges.has('mover'))
    const there = await plane.edge('us', 'mover')
    there.beat()
    await until('it to be gone', () => !ofEu.edges.has('mover') && ofUs.edges.has('mover'))
    assert.ok(ofEu.edges.has('eu-1'), 'others stay')
    await until('its new region', () => ofAll.edges.get('mover')?.region === 'us')
  })
})
