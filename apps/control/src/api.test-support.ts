/** The whole API in one process: the real app on a real Postgres, without NATS, and a valid request for each route. */
import { routes } from '@imapfleet/api'
import { createApp } from './app.ts'
import { testDeps, type TestDeps } from './deps.test-support.ts'

export type RouteName = keyof typeof routes
export const routeNames = Object.keys(routes) as RouteName[]

export interface Sample {
  params?: Record<string, string>
  query?: Record<string, string>
  body?: Record<string, unknown>
}

const id = '6b3d3a3e-9d3c-4c6e-8f43-0d0b7f3b8d11'
const edge = { kind: 'edge', name: 'eu-1' }
const page = { limit: '2', before: '9' }
const pageById = { limit: '2' }

/** A valid request for each route. Most of what they name does not exist. */
export const samples: Record<RouteName, Sample> = {
  createToken: { body: { name: 'ci', role: 'viewer', scopes: ['trace-bodies'], expiresInSeconds: 60 } },
  listTokens: { query: pageById },
  revokeToken: { params: { id } },
  listAudit: { query: { ...page, actor: 'root', action: 'token.create' } },
  listEdges: { query: { limit: '2' } },
  readEdge: { params: { id: 'eu-1' } },
  forgetEdge: { params: { id: 'eu-1' } },
  drainEdges: { body: { target: edge } },
  resumeEdges: { body: { target: edge } },
  enrollEdge: { params: { id: 'eu-1' }, body: { region: 'eu' } },
  listEnrolments: { query: { ...page, edge: 'eu-1' } },
  revokeEnrolments: { params: { id: 'eu-1' }, query: { key: `U${'A'.repeat(55)}` } },
  readConfig: {},
  listConfigKeys: {},
  importConf: { body: { text: 'listen_port 143\n' } },
  resolveConfig: { query: { edge: 'eu-1' } },
  writeRevision: {
    body: {
      layer: { kind: 'region', name: 'eu' },
      set: { 'pool.usesMax': 7 },
      unset: ['clients.idleTimeoutMs'],
      note: 'a note',
      rollout: { canaryEdges: ['eu-1'], regions: ['eu'], soakSeconds: 1 },
      dryRun: true,
    },
  },
  listRevisions: { query: page },
  readRevision: { params: { revision: '9' } },
  restoreRevision: { params: { revision: '9' }, body: { note: 'a note', rollout: { regions: ['eu'] } } },
  readHistory: {
    query: {
      metrics: 'logins_total',
      from: '-1h',
      to: 'now',
      step: '1m',
      groupBy: 'region',
      region: 'eu',
      edge: 'eu-1',
      upstream: 'main',
      format: 'json',
    },
  },
  readFleetMetrics: {},
  followFleet: { query: { region: 'eu' } },
  giveOrder: { body: { target: edge, action: { kind: 'who', user: 'ann' }, timeoutMs: 100 } },
  listOrders: { query: page },
  readOrder: { params: { id } },
  previewOperation: { body: { target: { kind: 'all' }, operation: { kind: 'drain' } } },
  listOperations: { query: page },
  readOperation: { params: { id } },
  steerOperation: { params: { id, steering: 'abort' } },
  addRevocation: { body: { kind: 'user', subject: 'ann', note: 'a note' } },
  listRevocations: { query: page },
  readRevocation: { params: { sequence: '9' } },
  listRollouts: { query: page },
  readRollout: { params: { revision: '9' } },
  steerRollout: { params: { revision: '9', steering: 'pause' } },
  signIn: { body: { token: 'imapfleet_unknown' } },
  signOut: {},
  readSession: {},
  startTrace: { body: { user: 'ann', seconds: 60, bytesMax: 1024, bodies: false } },
  listTraces: { query: pageById },
  readTrace: { params: { id } },
  endTrace: { params: { id } },
  readTraceLines: { params: { id } },
  followTrace: { params: { id } },
}

export interface Asked {
  headers?: Record<string, string>
  /** In the place of the sample's. */
  sample?: Sample
  /** The params of the sample are percent-encoded already. */
  isEncoded?: boolean
  /** Appended to the address as it is. */
  suffix?: string
  /** In the place of the sample's body, as it is. */
  raw?: string | Uint8Array<ArrayBuffer>
}

export interface TestApi {
  deps: TestDeps
  ask: (name: RouteName, asked?: Asked) => Promise<Response>
  close: () => Promise<void>
}

/** Every request comes from another address, so that the limit on wrong tokens is not reached. */
export async function testApi(): Promise<TestApi> {
  const deps = await testDeps()
  const stopping = new AbortController()
  const app = createApp(deps, { stopping: stopping.signal, trustedProxies: [], consoleDirectory: '' })
  let requests = 0
  return {
    deps,
    async ask(name, { headers = {}, sample = samples[name], isEncoded = false, suffix = '', raw } = {}) {
      const { method, path } = routes[name]
      const filled = path.replace(/\{(\w+)\}/g, (_, key: string) => {
        const value = sample.params?.[key] ?? ''
        return isEncoded ? value : encodeURIComponent(value)
      })
      const query = new URLSearchParams(sample.query).toString()
      const body = raw ?? (sample.body && JSON.stringify(sample.body))
      const address = `198.51.${(requests >> 8) & 255}.${requests++ & 255}`
      return await app.fetch(
        new Request(`http://control.test${filled}${query === '' ? '' : `?${query}`}${suffix}`, {
          method,
          headers: {
            'x-forwarded-for': address,
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body }),
        }),
      )
    },
    async close() {
      stopping.abort()
      await deps.db.close()
    },
  }
}

/** The status, and the code of a refusal. Streams are ended. */
export async function outcome(response: Response): Promise<{ status: number; code: string; text: string }> {
  const type = response.headers.get('content-type') ?? ''
  if (type.startsWith('text/event-stream')) {
    await response.body?.cancel()
    return { status: response.status, code: '', text: '' }
  }
  const text = await response.text()
  const code = type.startsWith('application/problem+json') ? (JSON.parse(text) as { code: string }).code : ''
  return { status: response.status, code, text }
}
