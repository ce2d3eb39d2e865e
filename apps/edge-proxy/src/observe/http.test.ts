import assert from 'node:assert/strict'
import type { AddressInfo } from 'node:net'
import { after, test } from 'node:test'
import { edgeMetrics, Metrics } from '@imapfleet/observe'
import { edgeStatsSchema, type EdgeStats } from '@imapfleet/protocol'
import { EdgeError } from '../errors.ts'
import { listen } from '../net/wire.test-support.ts'
import { listenHttp } from './http.ts'

const level = { current: 0, peak: 0 }
const statistics: EdgeStats['statistics'] = {
  startedAt: new Date(0).toISOString(),
  resetAt: new Date(0).toISOString(),
  clients: { ...level, total: 0 },
  active: level,
  cached: level,
  logins: { total: 0, reused: 0, opened: 0, reuseRatio: null },
  selectCache: { hits: 0, misses: 0, hitRatio: null },
}
const about = { edge: 'one', region: 'eu', version: '1.2.3', statistics }

/** The HTTP port of an edge with these metrics, in this state. */
async function statusPort(
  metrics = new Metrics(edgeMetrics),
  now: Partial<Pick<EdgeStats, 'state' | 'fleet'>> = {},
) {
  const server = await listenHttp({ address: '127.0.0.1', port: 0 }, () => ({
    ...about,
    ...metrics.snapshot(),
    state: now.state ?? 'serving',
    fleet: now.fleet,
  }))
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return (path: string, options = {}) => fetch(`http://127.0.0.1:${port}${path}`, options)
}

test('an edge is alive in any state, and ready while it serves', async () => {
  const now: { state: EdgeStats['state'] } = { state: 'serving' }
  const get = await statusPort(new Metrics(edgeMetrics), now)
  assert.equal((await get('/healthz')).status, 200)
  assert.equal((await get('/readyz')).status, 200)
  now.state = 'draining'
  const notReady = await get('/readyz?verbose')
  assert.equal(notReady.status, 503)
  assert.deepEqual(await notReady.json(), { ready: false, missing: ['the edge is draining'] })
  assert.equal((await get('/healthz')).status, 200)
})

test('an edge without a connection to the fleet is alive and ready, and reports why the fleet is unreachable', async () => {
  const fleet = { connected: false, reason: 'NATS refuses this edge' }
  const get = await statusPort(new Metrics(edgeMetrics), { fleet })
  assert.equal((await get('/readyz')).status, 200)
  assert.deepEqual(await (await get('/healthz')).json(), { status: 'alive', problems: [], fleet })
})

test('an edge that cannot save the desired state is alive, and not ready until it can', async () => {
  const now: { fleet: EdgeStats['fleet'] } = { fleet: { connected: true, unsaved: 'it cannot write' } }
  const get = await statusPort(new Metrics(edgeMetrics), now)
  const notReady = await get('/readyz')
  assert.equal(notReady.status, 503)
  assert.deepEqual(await notReady.json(), { ready: false, missing: ['it cannot write'] })
  assert.equal((await get('/healthz')).status, 200)
  now.fleet = { connected: true }
  assert.equal((await get('/readyz')).status, 200)
})

test('statistics are JSON, read at each request', async () => {
  const metrics = new Metrics(edgeMetrics)
  const logins = metrics.counters.logins_total({ upstream: 'main', result: 'ok' })
  const get = await statusPort(metrics)
  for (logins.value of [1, 5]) {
    const stats = edgeStatsSchema.parse(await (await get('/stats')).json())
    assert.equal(stats.edge, 'one')
    assert.equal(stats.counters['logins_total{upstream="main",result="ok"}'], logins.value)
  }
})

test('other paths and methods are refused', async () => {
  const get = await statusPort()
  assert.equal((await get('/')).status, 404)
  assert.equal((await get('/../etc/passwd')).status, 404)
  for (const method of ['POST', 'PUT', 'DELETE']) assert.equal((await get('/stats', { method })).status, 405)
  assert.equal(await (await get('/healthz', { method: 'HEAD' })).text(), '')
})

test('the Prometheus page has every series once, after its help and type', async () => {
  const metrics = new Metrics(edgeMetrics)
  metrics.counters.sessions_total({ ending: 'logout' }).value = 3
  metrics.counters.sessions_total({ ending: 'client-gone' }).value = 4
  metrics.gauge('upstreams_idle', () => 2)
  metrics.gauge('upstream_healthy', () => [[{ upstream: 'main' }, 1]])
  const text = await (await (await statusPort(metrics))('/metrics')).text()
  assert.match(
    text,
    /# HELP imapfleet_sessions_total .+\n# TYPE imapfleet_sessions_total counter\nimapfleet_sessions_total\{ending="logout"\} 3\nimapfleet_sessions_total\{ending="client-gone"\} 4\n/,
  )
  assert.match(text, /# TYPE imapfleet_upstreams_idle gauge\nimapfleet_upstreams_idle 2\n/)
  assert.match(text, /imapfleet_upstream_healthy\{upstream="main"\} 1\n/)
  const names = text.match(/^# TYPE \S+/gm)!
  assert.equal(new Set(names).size, names.length)
  for (const line of text.trimEnd().split('\n'))
    assert.match(
      line,
      /^(# (HELP|TYPE) imapfleet_\w+ .+|imapfleet_\w+(\{\w+="[^"]*"(,\w+="[^"]*")*\})? -?[\d.e+-]+)$/,
    )
})

test('a histogram is cumulative and ends in +Inf with its count', async () => {
  const metrics = new Metrics(edgeMetrics)
  const { login_seconds: timings } = metrics.histograms
  for (const milliseconds of [0.05, 0.2, 3, 3, 40, 900, 100_000, 10_000_000]) timings.observe(milliseconds)
  const text = await (await (await statusPort(metrics))('/metrics')).text()
  const buckets = [...text.matchAll(/^imapfleet_login_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)]
  const bounds = buckets.map(([, bound]) => (bound === '+Inf' ? Infinity : Number(bound)))
  const counts = buckets.map(([, , count]) => Number(count))
  assert.deepEqual(
    bounds,
    [...bounds].sort((a, b) => a - b),
  )
  assert.deepEqual(
    counts,
    [...counts].sort((a, b) => a - b),
  )
  assert.equal(bounds.at(-1), Infinity)
  assert.equal(counts.at(-1), 8)
  assert.match(text, /^imapfleet_login_seconds_count 8$/m)
  const upTo = (bound: number) => counts[bounds.indexOf(bound)]!
  assert.deepEqual([upTo(0.0001), upTo(0.001), upTo(0.01), upTo(0.1), upTo(1), upTo(600)], [1, 2, 4, 5, 6, 7])
})

test('the error for a port that is in use has advice', async () => {
  const port = await listen(() => {})
  const read = () => ({ ...about, ...new Metrics(edgeMetrics).snapshot(), state: 'serving' as const })
  await assert.rejects(listenHttp({ address: '127.0.0.1', port }, read), (error: unknown) => {
    assert.ok(error instanceof EdgeError && error.code === 'listen_failed')
    assert.match(error.message, /http\.port/)
    return true
  })
})
