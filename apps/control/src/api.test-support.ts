/**
 * The whole API in one process: the real app on a real Postgres, without NATS. A table says for each route who may use it, and has
 * a valid request.
 */
import { routes, type Role } from '@imapfleet/api'
import { createApp } from './app.ts'
import { testDeps, type TestDeps } from './deps.test-support.ts'

export type RouteName = keyof typeof routes
export const routeNames = Object.keys(routes) as RouteName[]

export interface ValidRequest {
  params?: Record<string, string>
  query?: Record<string, string>
  body?: Record<string, unknown>
}

const id = '6b3d3a3e-9d3c-4c6e-8f43-0d0b7f3b8d11'
const edge = { kind: 'edge', name: 'eu-1' }
const page = { limit: '2', before: '9' }
const pageById = { limit: '2' }

const viewers = ['viewer', 'operator', 'admin'] as const
const operators = ['operator', 'admin'] as const
const admins = ['admin'] as const

/** For each route who may use it, and a valid request. Most of what they name does not exist. */
export const expected: Record<RouteName, { roles: readonly Role[] | 'everybody'; sample: ValidRequest }> = {
  createToken: {
    roles: admins,
    sample: { body: { name: 'ci', role: 'viewer', scopes: ['trace-bodies'], expiresInSeconds: 60 } },
  },
  listTokens: { roles: admins, sample: { query: { ...pageById, kind: 'person' } } },
  revokeToken: { roles: admins, sample: { params: { id } } },
  endPerson: { roles: admins, sample: { params: { name: 'ann@example.org' } } },
  listAudit: { roles: admins, sample: { query: { ...page, actor: 'root', action: 'token.create' } } },
  listAlerts: {
    roles: viewers,
    sample: { query: { ...page, state: 'all', region: 'eu', edge: 'eu-1', rule: 'drift' } },
  },
  readAlert: { roles: viewers, sample: { params: { id: '9' } } },
  acknowledgeAlert: {
    roles: operators,
    sample: { params: { id: '9' }, body: { reason: 'a reason', seconds: 3600 } },
  },
  listAlertSilences: { roles: viewers, sample: { query: page } },
  silenceAlerts: {
    roles: operators,
    sample: {
      body: { rule: 'drift', region: 'eu', edge: 'eu-1', subject: 'eu-1', reason: 'a reason', seconds: 3600 },
    },
  },
  endAlertSilence: { roles: operators, sample: { params: { id: '9' } } },
  listAlertRules: { roles: viewers, sample: {} },
  changeAlertRule: {
    roles: operators,
    sample: {
      params: { rule: 'clock-skew' },
      body: { enabled: true, threshold: 20, holdSeconds: 60, clearSeconds: 60 },
    },
  },
  resetAlertRule: { roles: operators, sample: { params: { rule: 'clock-skew' } } },
  listAlertChannels: { roles: viewers, sample: {} },
  testAlertChannel: { roles: operators, sample: { params: { name: 'chat' } } },
  listEdges: { roles: viewers, sample: { query: { limit: '2' } } },
  readEdge: { roles: viewers, sample: { params: { id: 'eu-1' } } },
  forgetEdge: { roles: operators, sample: { params: { id: 'eu-1' } } },
  drainEdges: { roles: operators, sample: { body: { target: edge } } },
  adoptEdges: { roles: admins, sample: {} },
  resumeEdges: { roles: operators, sample: { body: { target: edge } } },
  enrollEdge: { roles: admins, sample: { params: { id: 'eu-1' }, body: { region: 'eu' } } },
  listEnrolments: { roles: admins, sample: { query: { ...page, edge: 'eu-1' } } },
  revokeEnrolments: {
    roles: admins,
    sample: { params: { id: 'eu-1' }, query: { key: `U${'A'.repeat(55)}` } },
  },
  readConfig: { roles: viewers, sample: {} },
  listConfigKeys: { roles: viewers, sample: {} },
  importConf: { roles: operators, sample: { body: { text: 'listen_port 143\n' } } },
  parseLayerText: { roles: operators, sample: { body: { text: 'pool: { usesMax: 5 }' } } },
  resolveConfig: { roles: viewers, sample: { query: { edge: 'eu-1' } } },
  writeRevision: {
    roles: operators,
    sample: {
      body: {
        layer: { kind: 'region', name: 'eu' },
        set: { 'pool.usesMax': 7 },
        unset: ['clients.idleTimeoutMs'],
        note: 'a note',
        rollout: { canaryEdges: ['eu-1'], regions: ['eu'], soakSeconds: 1 },
        dryRun: true,
      },
    },
  },
  changeLayers: {
    roles: operators,
    sample: {
      body: {
        changes: [
          { layer: { kind: 'region', name: 'eu' }, set: { 'pool.usesMax': 7 }, unset: ['log.level'] },
          { layer: { kind: 'edge', name: 'eu-1' }, set: { 'pool.usesMax': 8 } },
        ],
        note: 'a note',
        dryRun: true,
      },
    },
  },
  listRevisions: { roles: viewers, sample: { query: page } },
  readRevision: { roles: viewers, sample: { params: { revision: '9' } } },
  restoreRevision: {
    roles: operators,
    sample: { params: { revision: '9' }, body: { note: 'a note', rollout: { regions: ['eu'] } } },
  },
  undoRevision: {
    roles: operators,
    sample: { params: { revision: '9' }, body: { note: 'a note', base: 12 } },
  },
  readHistory: {
    roles: viewers,
    sample: {
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
  },
  readFleetMetrics: { roles: viewers, sample: {} },
  followFleet: { roles: viewers, sample: { query: { region: 'eu' } } },
  giveOrder: {
    roles: operators,
    sample: { body: { target: edge, action: { kind: 'who', user: 'ann' }, timeoutMs: 100 } },
  },
  listOrders: { roles: operators, sample: { query: page } },
  readOrder: { roles: operators, sample: { params: { id } } },
  previewOperation: {
    roles: operators,
    sample: { body: { target: { kind: 'all' }, operation: { kind: 'drain' } } },
  },
  listOperations: { roles: operators, sample: { query: page } },
  readOperation: { roles: operators, sample: { params: { id } } },
  steerOperation: { roles: operators, sample: { params: { id, steering: 'abort' } } },
  addRevocation: { roles: operators, sample: { body: { kind: 'user', subject: 'ann', note: 'a note' } } },
  listRevocations: { roles: operators, sample: { query: page } },
  readRevocation: { roles: operators, sample: { params: { sequence: '9' } } },
  listRollouts: { roles: viewers, sample: { query: page } },
  readRollout: { roles: viewers, sample: { params: { revision: '9' } } },
  readRolloutHealth: { roles: viewers, sample: { params: { revision: '9' } } },
  steerRollout: { roles: operators, sample: { params: { revision: '9', steering: 'pause' } } },
  signIn: { roles: 'everybody', sample: { body: { token: 'imapfleet_unknown' } } },
  signOut: { roles: 'everybody', sample: {} },
  readSignInWays: { roles: 'everybody', sample: {} },
  allowLogin: { roles: viewers, sample: { body: { challenge: 'c'.repeat(43) } } },
  beginDeviceLogin: { roles: 'everybody', sample: {} },
  allowDeviceLogin: { roles: viewers, sample: { body: { userCode: 'BDFH-KMPR' } } },
  redeemLogin: { roles: 'everybody', sample: { body: { deviceCode: 'd'.repeat(43) } } },
  endOwnToken: { roles: viewers, sample: {} },
  readSession: { roles: viewers, sample: {} },
  startTrace: {
    roles: operators,
    sample: { body: { user: 'ann', seconds: 60, bytesMax: 1024, bodies: false } },
  },
  listTraces: { roles: operators, sample: { query: pageById } },
  readTrace: { roles: operators, sample: { params: { id } } },
  endTrace: { roles: operators, sample: { params: { id } } },
  readTraceLines: { roles: operators, sample: { params: { id } } },
  followTrace: { roles: operators, sample: { params: { id } } },
}

export const samples = Object.fromEntries(routeNames.map((name) => [name, expected[name].sample])) as Record<
  RouteName,
  ValidRequest
>

export interface Variation {
  headers?: Record<string, string>
  /** In the place of the sample's. */
  sample?: ValidRequest
  /** The params of the sample are percent-encoded already. */
  isEncoded?: boolean
  /** Appended to the address as it is. */
  suffix?: string
  /** In the place of the sample's body, as it is. */
  raw?: string | Uint8Array<ArrayBuffer>
}

export interface TestApi {
  deps: TestDeps
  ask: (name: RouteName, varied?: Variation) => Promise<Response>
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
            ...(body === undefined ? {} : { 'content-type': 'application/json' }),
            ...headers,
          },
          ...(body === undefined ? {} : { body }),
        }),
        { incoming: { socket: { remoteAddress: address } } },
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
