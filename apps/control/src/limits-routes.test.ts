/** Every route, for tokens that are limited to a region, to a domain, and to both. A route without a row does not compile. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { isLimited, routes, type AccessLimits, type LimitedBy } from '@imapfleet/api'
import { routeNames, samples, type RouteName, type ValidRequest } from './api.test-support.ts'
import { apiOfTenants, limited, orderWith, problemCodeIn } from './limits.test-support.ts'
import {
  alertOf,
  orderOf,
  revisionOf,
  revocationOf,
  traceOf,
  uuidOf,
  type Concern,
} from './two-tenants.test-support.ts'

/** A request for something outside the limits, and the same one for something that does not exist. */
interface Outside {
  hidden: ValidRequest
  absent: ValidRequest
  /** What the requests name. Answers may repeat it. */
  names: readonly [string, string]
}

interface Decision {
  limits: LimitedBy
  /** A request within the limits. Left out: the sample of api.test-support. */
  within?: ValidRequest
  /** What its answer shows. */
  shows?: RegExp
  /** What its answer does not show with the limit of a region. */
  hides?: RegExp
  outsideRegion?: Outside[]
  outsideDomain?: Outside[]
}

const twin = (
  request: (name: string) => ValidRequest,
  hidden: string | number,
  absent: string | number,
): Outside => ({
  hidden: request(String(hidden)),
  absent: request(String(absent)),
  names: [String(hidden), String(absent)],
})
const id = (name: string): ValidRequest => ({ params: { id: name } })
const ofEdge = (request: (name: string) => ValidRequest) => twin(request, 'farland-1', 'nowhere-1')
const ofRegion = (request: (name: string) => ValidRequest) => twin(request, 'farland', 'nowhere')
const ofUser = (request: (name: string) => ValidRequest) => [
  twin(request, 'bob@foreign.example', 'bob@nowhere.example'),
  twin(request, 'ann@own.example@foreign.example', 'ann@own.example@nowhere.example'),
  twin(request, 'ann@not.own.example', 'ann@why.own.example'),
  twin(request, 'foreign', 'nowhere'),
]
const ofRevision = (request: (name: string) => ValidRequest) => [
  twin(request, revisionOf.farland, 9_002),
  twin(request, revisionOf.farlandEdge, 9_004),
  twin(request, revisionOf.global, 9_001),
]
const otherRegions: Concern[] = ['otherRegion', 'otherBoth', 'allRegions']
const otherDomains: Concern[] = ['otherDomain', 'misleading', 'longer', 'withoutDomain', 'otherBoth']
/** Those outside the limits of a region, and those outside the limits of a domain. */
const stored = (
  request: (name: string) => ValidRequest,
  nameOf: (concern: Concern) => string | number,
  absent: string | number,
) => ({
  outsideRegion: otherRegions.map((concern) => twin(request, nameOf(concern), absent)),
  outsideDomain: otherDomains.map((concern) => twin(request, nameOf(concern), absent)),
})
const ofOrder = stored(id, orderOf, uuidOf(999))
const ofTrace = stored(id, traceOf, uuidOf(999))
const ofRevocation = stored((sequence) => ({ params: { sequence } }), revocationOf, 9_999)
const ofCursor = stored((last) => ({ query: { before: last } }), traceOf, uuidOf(999))

const aimed = (kind: 'region' | 'edge') => (name: string) => ({ body: { target: { kind, name } } })
const targets = [ofEdge(aimed('edge')), ofRegion(aimed('region'))]
const kick = (user: string) => orderWith({ kind: 'kick-user', user })
const who = { kind: 'who', user: 'ann@own.example' } as const
const layer = (kind: 'region' | 'edge') => (name: string) => ({
  body: { layer: { kind, name }, set: { 'pool.usesMax': 7 }, dryRun: true },
})
/** A change of another layer, in one request with a layer that is within the limits. */
const layersBeside = (other: object) => ({
  body: {
    changes: [
      { layer: { kind: 'region', name: 'eu' }, set: { 'pool.usesMax': 7 } },
      { layer: other, set: { 'pool.usesMax': 8 } },
    ],
    dryRun: true,
  },
})
const steered = (steering: string) => (revision: string) => ({ params: { revision, steering } })
const preview = (operation: object, target: object = { kind: 'all' }) => ({ body: { target, operation } })
const trace = { user: 'ann@own.example', seconds: 60, bytesMax: 1024 }
const own = { limits: 'unlimited-only' } as const
const acknowledged = (alert: string) => ({ params: { id: alert }, body: { reason: 'known', seconds: 3_600 } })
const ofAlert = (request: (name: string) => ValidRequest) => [
  twin(request, alertOf.farland, 9_999),
  twin(request, alertOf.fleet, 9_999),
]

const decisions: Record<RouteName, Decision> = {
  createToken: own,
  listTokens: own,
  revokeToken: own,
  endPerson: own,
  listAudit: own,
  listAlerts: {
    limits: 'region',
    within: { query: { state: 'all' } },
    shows: new RegExp(`"id":${alertOf.eu}`),
    hides: new RegExp(`"id":(${alertOf.farland}|${alertOf.fleet})`),
  },
  readAlert: { limits: 'region', within: id(String(alertOf.eu)), outsideRegion: ofAlert(id) },
  acknowledgeAlert: {
    limits: 'region',
    within: acknowledged(String(alertOf.eu)),
    shows: /"by":"limited"/,
    outsideRegion: ofAlert(acknowledged),
  },
  listAlertSilences: own,
  silenceAlerts: own,
  endAlertSilence: own,
  listAlertRules: { limits: 'region' },
  changeAlertRule: own,
  resetAlertRule: own,
  listAlertChannels: own,
  testAlertChannel: own,
  listEdges: {
    limits: 'region',
    shows: /"id":"eu-1"/,
    outsideRegion: [ofEdge((last) => ({ query: { after: last } }))],
  },
  readEdge: { limits: 'region', shows: /"idle":3/, outsideRegion: [ofEdge(id)] },
  forgetEdge: { limits: 'region', outsideRegion: [ofEdge(id)] },
  drainEdges: { limits: 'region', shows: /"id":"eu-1"/, outsideRegion: targets },
  adoptEdges: own,
  resumeEdges: { limits: 'region', shows: /"id":"eu-1"/, outsideRegion: targets },
  enrollEdge: own,
  listEnrolments: own,
  revokeEnrolments: own,
  readConfig: { limits: 'region', shows: /"revision":5.*"region\/eu"/, hides: /global/ },
  listConfigKeys: { limits: 'none' },
  importConf: { limits: 'none' },
  parseLayerText: { limits: 'none' },
  resolveConfig: {
    limits: 'region',
    shows: /"usesMax":104/,
    outsideRegion: [ofEdge((edge) => ({ query: { edge } }))],
  },
  writeRevision: {
    limits: 'region',
    within: layer('region')('eu'),
    shows: /"id":"eu-1"/,
    outsideRegion: [
      ofEdge(layer('edge')),
      ofRegion(layer('region')),
      twin((kind) => ({ body: { layer: { kind }, set: { 'pool.usesMax': 7 } } }), 'global', 'global'),
    ],
  },
  changeLayers: {
    limits: 'region',
    within: layersBeside({ kind: 'edge', name: 'eu-1' }),
    shows: /"name":"eu".*"id":"eu-1"/,
    outsideRegion: [
      ofEdge((name) => layersBeside({ kind: 'edge', name })),
      ofRegion((name) => layersBeside({ kind: 'region', name })),
      twin((kind) => layersBeside({ kind }), 'global', 'global'),
    ],
  },
  listRevisions: {
    limits: 'region',
    within: { query: { limit: '9' } },
    shows: /"revision":5.*"revision":3/,
    hides: /"revision":[1246]\b|global/,
  },
  readRevision: {
    limits: 'region',
    within: { params: { revision: '3' } },
    shows: /"note":"root"/,
    outsideRegion: ofRevision((revision) => ({ params: { revision } })),
  },
  restoreRevision: {
    limits: 'region',
    within: { params: { revision: '3' }, body: { dryRun: true } },
    shows: /"layer":\{"kind":"region","name":"eu"\}/,
    outsideRegion: ofRevision((revision) => ({ params: { revision }, body: { dryRun: true } })),
  },
  undoRevision: {
    limits: 'region',
    within: { params: { revision: '3' }, body: { dryRun: true } },
    shows: /"layer":\{"kind":"region","name":"eu"\}/,
    outsideRegion: ofRevision((revision) => ({ params: { revision }, body: { dryRun: true } })),
  },
  readHistory: {
    limits: 'region',
    within: { query: { metrics: 'sessions_total', from: '-10m', step: '10m', groupBy: 'edge' } },
    shows: /"group":"eu-1"/,
    outsideRegion: [
      ofRegion((region) => ({ query: { metrics: 'sessions_total', from: '-1h', step: '1h', region } })),
      ofEdge((edge) => ({ query: { metrics: 'sessions_total', from: '-1h', step: '1h', edge } })),
    ],
  },
  readFleetMetrics: {
    limits: 'region',
    shows: /imapfleet_upstreams_idle\{edge="eu-1",region="eu"\} 3/,
    hides: /token_expiry|database_restored/,
  },
  followFleet: {
    limits: 'region',
    within: {},
    shows: /"total":1,.*"id":"eu-1"/,
    outsideRegion: [ofRegion((region) => ({ query: { region } }))],
  },
  // Without NATS no edge answers: tests/e2e/control-access-limits.test.ts has edges.
  giveOrder: {
    limits: 'both',
    within: orderWith(who),
    outsideRegion: [
      ofEdge((name) => orderWith(who, { kind: 'edge', name })),
      ofRegion((name) => orderWith(who, { kind: 'region', name })),
    ],
    outsideDomain: ofUser(kick),
  },
  listOrders: { limits: 'both', within: { query: { limit: '50' } }, shows: /ann@own\.example/ },
  readOrder: {
    limits: 'both',
    within: id(orderOf('own')),
    shows: /"result":\[\{"user":"ann@own\.example"/,
    ...ofOrder,
  },
  previewOperation: {
    limits: 'both',
    within: preview({ kind: 'revocation', of: 'domain', subject: 'own.example' }),
    outsideRegion: [
      ofEdge((name) => preview({ kind: 'order', action: who }, { kind: 'edge', name })),
      ofRegion((name) => preview({ kind: 'order', action: who }, { kind: 'region', name })),
    ],
    outsideDomain: ofUser((user) => preview({ kind: 'order', action: { kind: 'kick-user', user } })),
  },
  listOperations: own,
  readOperation: own,
  steerOperation: own,
  addRevocation: {
    limits: 'both',
    within: { body: { kind: 'user', subject: 'ann@own.example' } },
    shows: /"subject":"ann@own\.example"/,
    outsideRegion: [ofRegion((region) => ({ body: { kind: 'user', subject: 'ann@own.example', region } }))],
    outsideDomain: [
      ...ofUser((subject) => ({ body: { kind: 'user', subject } })),
      twin(
        (domain) => ({ body: { kind: 'domain', subject: `@${domain}` } }),
        'foreign.example',
        'why.example',
      ),
      twin((subject) => ({ body: { kind: 'domain', subject } }), 'not.own.example', 'why.own.example'),
    ],
  },
  listRevocations: { limits: 'both', within: { query: { limit: '50' } }, shows: /ann@own\.example/ },
  readRevocation: {
    limits: 'both',
    within: { params: { sequence: String(revocationOf('own')) } },
    shows: /"id":"eu-1"/,
    ...ofRevocation,
  },
  listRollouts: {
    limits: 'region',
    within: { query: { limit: '9' } },
    shows: /"revision":3/,
    hides: /"revision":[26]/,
  },
  readRollout: {
    limits: 'region',
    within: { params: { revision: '3' } },
    shows: /"id":"eu-1"/,
    outsideRegion: ofRevision((revision) => ({ params: { revision } })),
  },
  readRolloutHealth: {
    limits: 'region',
    within: { params: { revision: '3' } },
    shows: /"reached":\{"edges":1/,
    outsideRegion: ofRevision((revision) => ({ params: { revision } })),
  },
  steerRollout: {
    limits: 'region',
    within: { params: { revision: '3', steering: 'abort' } },
    outsideRegion: [...ofRevision(steered('abort')), twin(steered('pause'), revisionOf.rolling, 9_006)],
  },
  readSignInWays: { limits: 'none' },
  allowLogin: { limits: 'none' },
  beginDeviceLogin: { limits: 'none' },
  allowDeviceLogin: { limits: 'none' },
  redeemLogin: { limits: 'none' },
  endOwnToken: { limits: 'none' },
  signIn: { limits: 'none' },
  signOut: { limits: 'none' },
  readSession: { limits: 'none', shows: /"limits":\{"(regions|domains)":\["(eu|own\.example)"\]/ },
  startTrace: {
    limits: 'both',
    within: { body: trace },
    shows: /"user":"ann@own\.example"/,
    outsideRegion: [ofRegion((region) => ({ body: { ...trace, region } }))],
    outsideDomain: ofUser((user) => ({ body: { ...trace, user } })),
  },
  listTraces: {
    limits: 'both',
    within: { query: { limit: '50' } },
    shows: /ann@own\.example/,
    ...ofCursor,
  },
  readTrace: {
    limits: 'both',
    within: id(traceOf('own')),
    shows: /ann@own\.example/,
    ...ofTrace,
  },
  endTrace: {
    limits: 'both',
    within: id(traceOf('ownInCapitals')),
    shows: /"endedAt":"/,
    ...ofTrace,
  },
  readTraceLines: {
    limits: 'both',
    within: id(traceOf('own')),
    ...ofTrace,
  },
  followTrace: {
    limits: 'both',
    within: id(traceOf('own')),
    ...ofTrace,
  },
}

suite('limits of routes', () => {
  const { deps, tenants, headersOf, ask } = apiOfTenants()

  const isWithin: Record<LimitedBy, (limits: AccessLimits) => boolean> = {
    none: () => true,
    both: () => true,
    region: ({ domains }) => domains === undefined,
    domain: ({ regions }) => regions === undefined,
    'unlimited-only': (limits) => !isLimited(limits),
  }
  /** The words of what is outside these limits. */
  const wordsOutside = ({ regions, domains }: AccessLimits) =>
    [regions && 'farland', domains && 'foreign'].filter((word) => word !== undefined)

  test('each route declares what its handler does, and admins are never limited', () => {
    for (const name of routeNames) {
      const { limits, role } = routes[name]
      assert.equal(limits, decisions[name].limits, name)
      if (role === 'admin') assert.equal(limits, 'unlimited-only', name)
      const rows = [decisions[name].outsideRegion, decisions[name].outsideDomain]
      const isLinked = (at: number) => (rows[at] ?? []).length > 0
      // A route that takes the name of something must be tried with the names of hidden things.
      if (limits !== 'region' && limits !== 'both') continue
      if ('params' in routes[name]) assert.ok(isLinked(0), `${name} is not tried with what is hidden`)
      if ('params' in routes[name] && limits === 'both') assert.ok(isLinked(1), `${name} is not tried`)
    }
  })

  for (const [kind, limits] of Object.entries(limited)) {
    test(`with the limit of ${kind} every route shows only what is within it, or is refused`, async () => {
      const headers = await headersOf(limits)
      for (const name of routeNames) {
        if (routes[name].role === 'none') continue
        const { within = samples[name], shows, hides } = decisions[name]
        const { status, text } = await ask(name, headers, within)
        const what = `${name}: ${status} ${text.slice(0, 600)}`
        if (!isWithin[decisions[name].limits](limits)) {
          assert.equal(status, 403, what)
          assert.equal(problemCodeIn(text), 'outside_limits', what)
          continue
        }
        // An order needs NATS, and an edge that sends heartbeats is not forgotten.
        assert.ok(status < 300 || [409, 503].includes(status), what)
        for (const word of wordsOutside(limits)) assert.ok(!text.includes(word), what)
        if (status >= 300) continue
        if (shows) assert.match(text, shows, what)
        if (hides && limits.regions) assert.doesNotMatch(text, hides, what)
      }
    })

    test(`with the limit of ${kind} what is outside is answered like what does not exist`, async () => {
      const headers = await headersOf(limits)
      for (const name of routeNames) {
        const { limits: limitedBy, outsideRegion = [], outsideDomain = [] } = decisions[name]
        if (!isWithin[limitedBy](limits)) continue
        const tried = [...(limits.regions ? outsideRegion : []), ...(limits.domains ? outsideDomain : [])]
        for (const { hidden, absent, names } of tried) {
          const answers = [await ask(name, headers, hidden), await ask(name, headers, absent)]
          const [its, other] = answers.map(({ status, text }, index) => ({
            status,
            text: text
              .replaceAll(wholeWord(names[index]!), 'NAME')
              .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'),
          }))
          const what = `${name} ${JSON.stringify(hidden)}: ${its!.status} ${its!.text.slice(0, 600)}`
          assert.deepEqual(its, other, what)
          for (const word of wordsOutside(limits)) assert.ok(!its!.text.includes(word), what)
          const isRead = name === 'readHistory' || name === 'followFleet'
          if (!isRead) assert.ok([400, 403, 404].includes(its!.status), what)
        }
      }
    })
  }

  test('nothing outside was touched by any of these requests', async () => {
    const { sql } = deps().db
    const [edge] = await sql`select drain, forgotten_at from edges where id = 'farland-1'`
    assert.deepEqual([edge?.['drain'], edge?.['forgotten_at']], [false, null])
    const touched = await sql`
      select action, target, after from audit where actor = 'limited' and
        concat(target, before, after) ~ 'farland|foreign'`
    assert.deepEqual([...touched], [])
    const [ended] =
      await sql`select count(*)::int as ended from traces where ended_at is not null and region <> 'eu'`
    assert.equal(ended?.['ended'], 0)
    const [rolling] = await sql`select state from rollouts where revision = ${revisionOf.rolling}`
    assert.equal(rolling?.['state'], 'running')
    const [running] = await sql`select state from operations where id = ${tenants().operation}`
    assert.equal(running?.['state'], 'running')
  })
})

/** A number is not found within another one. */
const wholeWord = (name: string): RegExp =>
  new RegExp(`(?<!\\w)${name.replaceAll(/\W/g, '\\$&')}(?!\\w)`, 'g')
