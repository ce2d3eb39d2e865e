/** A fleet of simulated edges with history, problems, alerts and a rollout, for pictures of any size. */
import { bucketBound } from '@imapfleet/observe'
import { subjects, type Connection, type Order, type Presence } from '@imapfleet/protocol'
import type { NatsConnection } from '@nats-io/transport-node'
import { ObedientEdge } from '../support/obedient-edge.ts'
import type { Plane } from '../support/plane.ts'
import { connectNats, SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const reports = 24
const reportEveryMs = 60_000
const limits = { clients: 10_000, connections: 2_000 }

export class SimulatedFleet {
  readonly #plane: Plane
  readonly #nats: NatsConnection
  readonly #edges: ObedientEdge[]
  #timer: NodeJS.Timeout | undefined

  private constructor(plane: Plane, nats: NatsConnection, size: number) {
    this.#plane = plane
    this.#nats = nats
    const regions = size < 8 ? ['eu', 'us'] : ['ap-south', 'eu-central', 'sa-east', 'us-east']
    this.#edges = Array.from({ length: size }, (_, index) => {
      const region = regions[index % regions.length] ?? ''
      const edge = new SimulatedEdge(nats, region, `${region}-${Math.floor(index / regions.length) + 1}`)
      edge.startedAt = Date.now() - 7_200_000
      const obedient = new ObedientEdge(edge)
      obedient.said = { gauges: gaugesOf(index, 1), listeners: ['0.0.0.0:143'], ...problemOf(index, size) }
      for (const subject of subjects.ordersFor(edge.address))
        nats.subscribe(subject, { callback: (_error, message) => obey(edge, index, message.json<Order>()) })
      return obedient
    })
  }

  static async start(plane: Plane, size: number): Promise<SimulatedFleet> {
    const nats = await connectNats(plane.nats)
    const fleet = new SimulatedFleet(plane, nats, size)
    await fleet.#appear()
    await fleet.#report()
    return fleet
  }

  /** A few changes, a rollout under way, orders, and alerts without their hold times. */
  async operate(): Promise<void> {
    const post = async (path: string, body: unknown) => {
      const answer = await this.#plane.api(`/v1/${path}`, { body })
      if (answer.status >= 300) throw new Error(`${path}: ${JSON.stringify(answer.body)}`)
    }
    for (const rule of ['edge-silent', 'upstream-down', 'connections-near-limit'])
      await this.#plane.api(`/v1/alert-rules/${rule}`, { body: { holdSeconds: 0, clearSeconds: 0 } })
    const [first] = this.#edges
    const region = first?.edge.address.region ?? 'eu'
    await post('config/revisions', {
      layer: { kind: 'global' },
      set: { 'pool.idleTimeoutMs': 300_000, 'clients.idleTimeoutMs': 1_800_000 },
      note: 'longer breaks',
    })
    await post('config/revisions', {
      layer: { kind: 'region', name: region },
      set: { 'pool.idleTimeoutMs': 240_000 },
      note: 'servers of this region close after five minutes',
    })
    await post('config/revisions', {
      layer: { kind: 'global' },
      set: { 'pool.usesMax': 2_000 },
      note: 'connections live longer',
      rollout: { canaryPercent: 10, soakSeconds: 3_600, silenceSeconds: 3_600 },
    })
    await post('orders', { action: { kind: 'version' } })
    await post('revocations', { kind: 'user', subject: 'felix@example.org', note: 'password changed' })
    await post('tokens', { name: 'prometheus', role: 'viewer' })
    await post('tokens', {
      name: 'ann',
      role: 'operator',
      expiresInSeconds: 172_800,
      limits: { regions: [region] },
    })
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#nats.close()
  }

  /** All edges are known; one of a larger fleet then falls silent. */
  async #appear(): Promise<void> {
    const isSilent = (index: number) => this.#edges.length > 8 && index === 5
    const beat = () => {
      for (const [index, edge] of this.#edges.entries()) if (!isSilent(index)) edge.beat()
    }
    const silent = this.#edges.find((_, index) => isSilent(index))
    if (silent) silent.heartbeatMs = 1_000
    await until(
      'every edge',
      async () => {
        silent?.beat()
        beat()
        const { body } = await this.#plane.api('/v1/edges')
        return (body as { edges: unknown[] }).edges.length >= Math.min(this.#edges.length, 1_000)
      },
      60_000,
    )
    this.#timer = setInterval(beat, 20_000)
  }

  async #report(): Promise<void> {
    const now = Date.now()
    for (let step = 0; step <= reports; step++) {
      const at = now - (reports - step) * reportEveryMs
      await Promise.all(
        this.#edges.map(async ({ edge }, index) => {
          const report = edge.report({ ...countsOf(index, step), gauges: gaugesOf(index, wave(step)) }, at)
          await edge.send(report)
        }),
      )
    }
  }
}

/** Up and down by a third, slowly. */
const wave = (step: number) => 1 + Math.sin(step / 4) / 3
/** Edges differ by their load, and so do regions. */
const loadOf = (index: number) => (1 + (index % 7) / 3) * (1 - (index % 4) / 6)

function gaugesOf(index: number, factor: number): Record<string, number> {
  const load = loadOf(index) * factor
  const isFull = index === 6
  return {
    clients_connected: Math.round(180 * load),
    clients_limit: limits.clients,
    upstreams_dialing: 0,
    upstreams_leased: Math.round(150 * load),
    upstreams_resetting: 1,
    upstreams_idle: isFull ? 1_700 : Math.round(420 * load),
    leases_waiting: 0,
    memory_rss_bytes: 160_000_000,
    'upstream_healthy{upstream="main"}': index === 9 ? 0 : 1,
    'upstream_paused{upstream="main"}': 0,
    'upstream_connections_limit{upstream="main"}': limits.connections,
  }
}

function problemOf(index: number, size: number): Partial<Presence> {
  if (size <= 8) return {}
  if (index === 9) return { degraded: ['upstream main: 10.20.0.7 port 143: connect ECONNREFUSED'] }
  return index === 14 ? { state: 'draining' } : {}
}

function countsOf(index: number, step: number) {
  const sums = { sessions: 0, failed: 0, refused: 0 }
  for (let each = 0; each <= step; each++) {
    sums.sessions += Math.round(600 * loadOf(index) * wave(each))
    // A short outage, and the usual wrong passwords.
    sums.failed += each > 15 && each < 18 ? Math.round(40 * loadOf(index)) : 0
    sums.refused += Math.round(4 * loadOf(index))
  }
  const logins = sums.sessions
  const [fast, slow] = [bucketOf(0.0012), bucketOf(0.02)]
  const fastCount = Math.round(logins * 0.96)
  const counts = { [fast]: fastCount, [slow]: logins - fastCount }
  return {
    counters: {
      'sessions_total{ending="logout"}': sums.sessions,
      'logins_total{upstream="main",result="ok"}': logins,
      'logins_total{upstream="main",result="failed"}': sums.failed,
      'logins_total{upstream="main",result="refused"}': sums.refused,
      'upstream_reuses_total{upstream="main"}': Math.round(logins * 0.93),
      'upstream_connections_total{upstream="main"}': Math.round(logins * 0.07),
      'reuse_refused_total{reason="open-literal"}': Math.round(logins * 0.004),
      'reuse_refused_total{reason="too-old"}': Math.round(logins * 0.02),
      round_trips_saved_total: logins * 5,
    },
    histograms: {
      login_seconds: {
        sum: fastCount * bucketBound(fast) + (logins - fastCount) * bucketBound(slow),
        counts,
      },
    },
  }
}

/** The bucket of a histogram that has this time. */
function bucketOf(seconds: number): number {
  let bucket = 0
  while (bucketBound(bucket) < seconds) bucket++
  return bucket
}

const names = [
  'anna',
  'ben',
  'chloe',
  'david',
  'emma',
  'greta',
  'hugo',
  'ida',
  'jonas',
  'lena',
  'max',
  'nora',
]
const commands = ['FETCH', 'IDLE', 'SELECT', 'UID', 'STATUS']

function obey(edge: SimulatedEdge, index: number, { id, action }: Order): void {
  if (action.kind === 'who') return edge.answer(id, { result: connectionsOf(index, action.user) })
  if (action.kind === 'version') return edge.answer(id, { result: { version: 'simulated' } })
  edge.answer(id, { ok: false, reason: 'this edge is simulated' })
}

/** Each edge has the same users, with different connections. */
function connectionsOf(index: number, wanted: string | undefined): Connection[] {
  const now = Date.now()
  return names.flatMap((name, at): Connection[] => {
    const user = `${name}@example.org`
    if ((wanted !== undefined && user !== wanted) || (index + at) % 3 === 0) return []
    const isUsed = (index + at) % 3 === 1
    const startedAt = now - 20_000 * (at + 1) - index * 900
    return [
      {
        user,
        upstream: 'main',
        state: isUsed ? 'leased' : 'idle',
        ...(isUsed && {
          client: `10.20.${index % 200}.${at + 10}`,
          session: {
            startedAt,
            clientBytes: 900 * (at + 1),
            upstreamBytes: 61_000 * (at + 1) + index,
            command: commands[at % commands.length] ?? 'FETCH',
          },
        }),
        since: now - 1_500 * (at + 1),
        uses: 12 + ((index * 7 + at) % 90),
      },
    ]
  })
}
