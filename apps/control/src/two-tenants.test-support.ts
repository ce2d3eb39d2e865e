/**
 * A database with something of everything, once for each region and domain: the regions eu and farland, users of own.example and
 * of foreign.example. What is outside the region eu has the word `farland` in it, what is outside the domain own.example the word
 * `foreign`.
 */
import { randomUUID } from 'node:crypto'
import type { LayerName } from '@imapfleet/api'
import type { Presence } from '@imapfleet/protocol'
import type { TestDeps } from './deps.test-support.ts'
import { createToken } from './features/access/service.ts'
import { insertAlerts } from './features/alerts/queries.ts'
import { insertRevision } from './features/config/queries.ts'
import { changeFleet } from './features/desired/service.ts'
import { recordPresence } from './features/edges/ingest.ts'
import { hearFor } from './features/edges/hearing.test-support.ts'
import { insertReports, packReport, type PlacedReport } from './features/history/ingest-queries.ts'
import { makePartitions } from './features/history/partitions.ts'
import { Series } from './features/history/series.ts'
import { beginOperation } from './features/operations/service.ts'
import { selectAddressedEdges } from './features/edges/queries.ts'
import { finishOrder, insertOrder } from './features/orders/queries.ts'
import { insertRevocation } from './features/revocations/queries.ts'
import { insertRollout } from './features/rollouts/queries.ts'
import { insertTrace } from './features/traces/queries.ts'
import { domainOf, noLimits, type Actor } from './platform/access.ts'
import { withLease } from './platform/ticks/leases.ts'

export const uuidOf = (number: number): string =>
  `00000000-0000-4000-8000-${String(number).padStart(12, '0')}`

/** Whose connections each order, revocation and trace concerns, and in which region; null: in all. By their place in this list. */
export const concerns = {
  own: { region: 'eu', user: 'ann@own.example' },
  ownInCapitals: { region: 'eu', user: 'Ann@OWN.example' },
  otherDomain: { region: 'eu', user: 'bob@foreign.example' },
  /** The last @ counts. */
  misleading: { region: 'eu', user: 'foreign@own.example@foreign.example' },
  longer: { region: 'eu', user: 'foreign@not.own.example' },
  withoutDomain: { region: 'eu', user: 'foreign' },
  otherRegion: { region: 'farland', user: 'ann@own.example' },
  otherBoth: { region: 'farland', user: 'bob@foreign.example' },
  allRegions: { region: null, user: 'ann@own.example' },
  ownWithTwo: { region: 'eu', user: 'ann@desk@own.example' },
} as const satisfies Record<string, { region: string | null; user: string }>
export type Concern = keyof typeof concerns
const keys = Object.keys(concerns) as Concern[]

export const orderOf = (concern: Concern): string => uuidOf(100 + keys.indexOf(concern))
export const traceOf = (concern: Concern): string => uuidOf(200 + keys.indexOf(concern))
export const revocationOf = (concern: Concern): number => 1_001 + keys.indexOf(concern)

/** The numbers of revisions, by layer. */
export const revisionOf = { global: 1, farland: 2, eu: 3, farlandEdge: 4, euEdge: 5, rolling: 6 } as const

export interface Tenants {
  /** The id of an operation in stages. */
  operation: string
  /** The id of a token without limits. */
  token: string
}

export async function fillForTenants(deps: TestDeps): Promise<Tenants> {
  const { orm } = deps.db
  const { id: token } = await createToken(deps, 'root', {
    ...{ name: 'farland-foreign', role: 'operator', scopes: [], expiresInSeconds: 3_600 },
  })
  const admin: Actor = { id: token, name: 'farland-foreign', role: 'operator', scopes: [], limits: noLimits }
  await hearFor(deps.db, 3_600)
  for (const region of ['eu', 'farland']) await addEdge(deps, region)
  await withLease(deps, 'partitions', async (lease) => await makePartitions(deps, lease))
  await addReports(deps)
  await addAlerts(deps)
  for (const [place, concern] of keys.entries()) {
    const { region, user } = concerns[concern]
    const outside = [
      ...(region === 'eu' ? [] : ['farland']),
      ...(domainOf({ kind: 'user', name: user }) === 'own.example' ? [] : ['foreign']),
    ]
    const by = ['root', ...outside].join('-')
    const at = new Date(deps.now() + place)
    const id = orderOf(concern)
    await insertOrder(orm, {
      ...{ id, givenBy: by, at, expiresAt: at },
      target: region === null ? { kind: 'all' } : { kind: 'region', name: region },
      action: { kind: 'who', user },
      region,
      domain: domainOf({ kind: 'user', name: user }),
    })
    const answering = region ?? 'farland'
    const connection = { user, upstream: 'main', state: 'idle', since: 1, uses: 1 } as const
    await finishOrder(orm, id, at, [
      { id: `${answering}-1`, region: answering, status: 'answered', reason: null, result: [connection] },
    ])
    await insertTrace(orm, {
      ...{ id: traceOf(concern), user, region, bytesMax: 1024, bodies: false, createdBy: by, token },
      ...{ createdAt: at, expiresAt: new Date(at.getTime() + 3_600_000) },
    })
    await insertRevocation(orm, {
      ...{ sequence: revocationOf(concern), kind: 'user', subject: user, at },
      ...{ createdBy: by, note: by, region },
    })
  }
  await addLayers(deps)
  const edges = await selectAddressedEdges(orm, noLimits, { kind: 'all' })
  const { id } = await beginOperation(orm, admin, new Date(deps.now()), {
    ...{ title: 'drain farland and foreign', work: { kind: 'drain' }, target: { kind: 'all' }, edges },
    pace: undefined,
  })
  return { operation: id, token }
}

/** An alert of each region, and one about control. */
export const alertOf = { eu: 9_101, farland: 9_102, fleet: 9_103 } as const

async function addAlerts({ db, now }: TestDeps): Promise<void> {
  const openedAt = new Date(now())
  const open = { rule: 'edge-silent', state: 'open', since: openedAt, openedAt } as const
  await insertAlerts(db.orm, [
    { ...open, id: alertOf.eu, subject: 'eu-1', text: 'eu-1 is silent', region: 'eu', edge: 'eu-1' },
    {
      ...open,
      id: alertOf.farland,
      subject: 'farland-1',
      text: 'farland',
      region: 'farland',
      edge: 'farland-1',
    },
    { ...open, id: alertOf.fleet, rule: 'nats-down', subject: 'farland', text: 'farland foreign' },
  ])
}

async function addEdge(deps: TestDeps, region: string): Promise<void> {
  const upstream = region === 'eu' ? 'main' : region
  const presence: Presence = {
    v: 1,
    ...{
      edge: `${region}-1`,
      region,
      boot: randomUUID(),
      at: deps.now(),
      sequence: 1,
      startedAt: deps.now(),
    },
    ...{ version: region, heartbeatMs: 60_000, revocations: 0, config: { applied: 0 } },
    state: 'serving',
    degraded: [`${region} is degraded`],
    listeners: [`${region}:143`],
    gauges: { [`upstream_healthy{upstream="${upstream}"}`]: 1, upstreams_idle: region === 'eu' ? 3 : 7_777 },
    counters: { 'sessions_total{ending="logout"}': region === 'eu' ? 5 : 8_888 },
  }
  await recordPresence(deps, [{ presence, ageMs: 0 }])
}

/** Ten sessions in eu, 8,888 elsewhere. */
async function addReports(deps: TestDeps): Promise<void> {
  const from = deps.now() - 120_000
  await deps.db.sql`update fleet set reports_since = to_timestamp(${(from - 60_000) / 1000})`
  const reports = (['eu', 'farland'] as const).flatMap((region): PlacedReport[] => {
    const boot = randomUUID()
    return [1, 2, 3].map((sequence) => ({
      ...{ v: 1, edge: `${region}-1`, region, boot, at: from + sequence * 10_000, startedAt: from, sequence },
      counters: {
        'sessions_total{ending="logout"}': sequence * (region === 'eu' ? 5 : 4_444),
        [`upstream_connections_total{upstream="${region}"}`]: sequence,
      },
      ...{ gauges: {}, histograms: {}, isMoved: false },
    }))
  })
  const series = new Series(deps.db)
  await insertReports(
    deps.db,
    series,
    reports.map((report) => packReport(series, report)),
  )
}

/** A layer of each kind, rollouts of two of them that have ended, and one in the other region that runs. */
async function addLayers(deps: TestDeps): Promise<void> {
  const layers: [LayerName, 'released' | 'rolling'][] = [
    [{ kind: 'global' }, 'released'],
    [{ kind: 'region', name: 'farland' }, 'released'],
    [{ kind: 'region', name: 'eu' }, 'released'],
    [{ kind: 'edge', name: 'farland-1' }, 'released'],
    [{ kind: 'edge', name: 'eu-1' }, 'released'],
    [{ kind: 'region', name: 'farland' }, 'rolling'],
  ]
  for (const [index, [layer, state]] of layers.entries()) {
    const name = layer.kind === 'global' ? '' : layer.name
    const by = name.startsWith('eu') ? 'root' : 'root-farland'
    const document = { pool: { usesMax: 100 + index } }
    await changeFleet(deps.db, async (queries) => {
      await insertRevision(queries, {
        ...{ revision: index + 1, layerKind: layer.kind, layerName: name, document, state },
        ...{ changes: [{ key: 'pool.usesMax', before: null, after: 100 + index }], note: by, createdBy: by },
      })
      const edges = await selectAddressedEdges(
        queries,
        noLimits,
        layer.kind === 'global' ? { kind: 'all' } : layer,
      )
      if (layer.kind === 'region')
        await insertRollout(queries, {
          revision: index + 1,
          state: state === 'rolling' ? 'running' : 'completed',
          settings: {
            ...{ canaryEdges: [], canaryPercent: 0, regions: ['farland', name], soakSeconds: 3_600 },
            ...{ silenceSeconds: 60, errorShareMax: 1 },
          },
          waves: [{ name, edges: edges.map(({ id }) => id) }],
          ...{
            waveStartedAt: new Date(deps.now()),
            skipped: [],
            createdBy: by,
            createdAt: new Date(deps.now()),
          },
        })
    })
  }
}
