/** Decides for each rule what is wrong, from facts that were read at one moment. Pure: facts.ts reads them. */
import { alertTextMax, type AlertRuleName, type EdgeProblem } from '@imapfleet/api'
import { oneLine, seriesOf } from '@imapfleet/observe'
import { serverProblemIn } from '@imapfleet/protocol'
import type { ReplicaReport } from './table.ts'

export interface AlertFacts {
  /** Milliseconds since 1970. */
  now: number
  /** Control receives no heartbeats now, so its data about edges is outdated. */
  isDeaf: boolean
  edges: readonly EdgeFacts[]
  /** What each edge counted lately, by its id and by series. An edge whose reports are missing is missing. */
  counted: { minutes5: CountsByEdge; minutes15: CountsByEdge }
  replicas: readonly { name: string; ageMs: number; report: ReplicaReport }[]
  /** Timers that no replica finishes. */
  lateTimers: readonly { name: string; trouble: string }[]
  /** Tokens with an expiry; several can have one name. */
  tokens: readonly { name: string; expiresAt: Date }[]
  restoredAt: number | undefined
  /** Why the desired state is not published. */
  held: string | undefined
}

export interface EdgeFacts {
  id: string
  region: string
  isHeard: boolean
  problems: readonly EdgeProblem[]
  gauges: Readonly<Record<string, number>>
  clockSkewMs: number | null
  runsForeignState: boolean
}

export type CountsByEdge = ReadonlyMap<string, Readonly<Record<string, number>>>

export interface AlertFinding {
  rule: AlertRuleName
  /** Unique within the rule. */
  subject: string
  region: string | null
  edge: string | null
  text: string
  /** When the condition began, if that is known. Milliseconds since 1970. */
  since?: number
}

/** Where the facts of a rule come from, which decides when they are unknown. */
type Source = 'heartbeats' | 'reports' | 'control'

interface Detector {
  source: Source
  find: (facts: AlertFacts, threshold: number) => Found[]
}

type Found = Omit<AlertFinding, 'rule'>

const dayMs = 86_400_000
/** A process that did not report for this time is down. It reports every 10 s. */
const replicaSilentMs = 45_000

/** `thresholds`: of the rules that have one. */
export function findingsOfRule(rule: AlertRuleName, facts: AlertFacts, threshold: number): AlertFinding[] {
  const { source, find } = detectors[rule]
  // While control receives no heartbeats, its data about edges is outdated, and isUnknown() reports it as unknown.
  if (source === 'heartbeats' && facts.isDeaf) return []
  return find(facts, threshold).map((found) => ({
    ...found,
    rule,
    subject: oneLine(found.subject, 300),
    text: oneLine(found.text, alertTextMax),
  }))
}

/** Whether the facts allow no statement about this alert: it is neither confirmed nor over. */
export function isUnknown(
  { rule, edge, region }: { rule: AlertRuleName; edge: string | null; region: string | null },
  facts: AlertFacts,
): boolean {
  const { source } = detectors[rule]
  if (source === 'control') return false
  if (source === 'heartbeats' && facts.isDeaf) return true
  if (edge === null) {
    const ofRegion = facts.edges.filter((each) => each.region === region)
    return ofRegion.length > 0 && ofRegion.every(({ id }) => !facts.counted.minutes15.has(id))
  }
  // An edge that left the fleet has no alerts.
  const known = facts.edges.find(({ id }) => id === edge)
  if (!known) return false
  return source === 'heartbeats' ? !known.isHeard : !facts.counted.minutes15.has(edge)
}

const detectors: Readonly<Record<AlertRuleName, Detector>> = {
  // Silence grows only while control receives messages, so it is always known.
  'edge-silent': { source: 'control', find: (facts) => byProblem(facts, ['silent', 'wire-version']) },
  'upstream-down': {
    source: 'heartbeats',
    find: (facts) =>
      perGauge(facts, 'upstream_healthy', ({ edge, value, labels: { upstream = '' } }) =>
        value >= 1
          ? undefined
          : {
              subject: `${edge.id}/${upstream}`,
              text: [
                `${edge.id} cannot reach the mail server ${upstream}`,
                ...reasonsOf(edge, upstream),
              ].join(': '),
            },
      ),
  },
  'logins-fail': {
    source: 'reports',
    find: (facts, percentMax) =>
      perEdge(facts, ({ id }) => {
        const counts = facts.counted.minutes5.get(id) ?? {}
        const failed = sumOf(counts, 'logins_total', ({ result }) => result === 'failed')
        const share = (100 * failed) / sumOf(counts, 'logins_total')
        return share > percentMax
          ? {
              subject: id,
              text: `${id} cannot serve ${inPercent(share)} of the logins of the last 5 minutes`,
            }
          : undefined
      }),
  },
  'logins-wait': {
    source: 'heartbeats',
    find: (facts, waitingMax) =>
      perGauge(facts, 'leases_waiting', ({ edge: { id }, value }) =>
        value > waitingMax
          ? {
              subject: id,
              text: `${value === 1 ? '1 login waits' : `${value} logins wait`} at ${id} for a server connection`,
            }
          : undefined,
      ),
  },
  'connections-near-limit': { source: 'heartbeats', find: nearLimits },
  'connections-full': {
    source: 'reports',
    find: (facts) =>
      perEdge(facts, (edge) =>
        growing(
          facts.counted.minutes5.get(edge.id),
          'upstream_full_total',
          // A server that is down accepts no connections either: the rule upstream-down covers it.
          ({ upstream = '', reason = '' }) => !isExhaustion(reason) && !isDown(edge, upstream),
        ).map(({ upstream = '', reason = '' }) => ({
          subject: `${edge.id}/${upstream}/${reason}`,
          text: `the mail server ${upstream} refuses further connections of ${edge.id} (${reason})`,
        })),
      ),
  },
  'clients-refused': {
    source: 'reports',
    find: (facts) =>
      perEdge(facts, ({ id }) =>
        sumOf(
          facts.counted.minutes5.get(id) ?? {},
          'client_refusals_total',
          ({ reason }) => reason === 'too-many-clients',
        ) > 0
          ? { subject: id, text: `${id} refuses clients: clients.connectionsMax is reached` }
          : undefined,
      ),
  },
  'out-of-resources': {
    source: 'reports',
    find: (facts) =>
      perEdge(facts, ({ id }) => {
        const counts = facts.counted.minutes5.get(id)
        const reasons = ['client_refusals_total', 'upstream_full_total'].flatMap((name) =>
          growing(counts, name, ({ reason = '' }) => isExhaustion(reason)).map(({ reason = '' }) => reason),
        )
        return [...new Set(reasons)].map((reason) => ({
          subject: `${id}/${reason}`,
          text: `the host of ${id} is ${reason.replaceAll('-', ' ')}`,
        }))
      }),
  },
  'reuse-fallen': { source: 'reports', find: reuseFallen },
  drift: { source: 'heartbeats', find: (facts) => byProblem(facts, ['rejected', 'drift']) },
  'foreign-state': {
    source: 'heartbeats',
    find: (facts) =>
      perEdge(facts, ({ id, isHeard, runsForeignState }) =>
        isHeard && runsForeignState
          ? { subject: id, text: `${id} runs a desired state that this database did not issue` }
          : undefined,
      ),
  },
  'state-held': {
    source: 'control',
    find: ({ held }) =>
      held === undefined ? [] : [ofFleet('fleet', `the desired state is not published: ${held}`)],
  },
  'database-restored': {
    source: 'control',
    find: ({ restoredAt, now }) =>
      restoredAt === undefined || now - restoredAt >= dayMs
        ? []
        : [
            ofFleet(
              'fleet',
              `Postgres was restored from an older database (detected at ${new Date(restoredAt).toISOString()})`,
            ),
          ],
  },
  'outbox-grows': {
    source: 'heartbeats',
    find: (facts, reportsMax) =>
      perGauge(facts, 'outbox_reports', ({ edge: { id }, value }) =>
        value > reportsMax
          ? {
              subject: id,
              text: `${value === 1 ? `1 report of ${id} is` : `${value} reports of ${id} are`} not acknowledged`,
            }
          : undefined,
      ),
  },
  'reports-lost': {
    source: 'reports',
    find: (facts) =>
      perEdge(facts, ({ id }) => {
        const lost = sumOf(facts.counted.minutes15.get(id) ?? {}, 'reports_dropped_total')
        return lost > 0 ? { subject: id, text: `${id} dropped ${Math.round(lost)} reports` } : undefined
      }),
  },
  'state-unsaved': { source: 'heartbeats', find: (facts) => byProblem(facts, ['unsaved']) },
  'clock-skew': {
    source: 'heartbeats',
    find: (facts, secondsMax) =>
      perEdge(facts, ({ id, isHeard, clockSkewMs }) =>
        isHeard && clockSkewMs !== null && Math.abs(clockSkewMs) > secondsMax * 1000
          ? {
              subject: id,
              text: `the clock of ${id} is ${Math.round(Math.abs(clockSkewMs) / 1000)} s ${clockSkewMs > 0 ? 'ahead of' : 'behind'} control`,
            }
          : undefined,
      ),
  },
  'two-instances': { source: 'heartbeats', find: (facts) => byProblem(facts, ['instances']) },
  // A revoked credential is known without heartbeats, but it ends them, and then the edge is silent.
  'edge-problems': {
    source: 'heartbeats',
    find: (facts) =>
      byProblem(facts, ['reported', 'credential'], ({ text }, edge) => !isAboutServerDown(edge, text)),
  },
  'edge-refused': {
    source: 'control',
    find: (facts) => byProblem(facts, ['refused'], ({ severity }) => severity === 'bad'),
  },
  'messages-rejected': {
    source: 'control',
    find: ({ replicas, now }) =>
      replicas.some(({ report: { rejectedAt } }) => rejectedAt !== undefined && now - rejectedAt < rejectedMs)
        ? [ofFleet('fleet', 'control rejects messages on the subjects of the fleet')]
        : [],
  },
  'certificate-expires': {
    source: 'heartbeats',
    find: (facts, days) =>
      perGauge(facts, 'certificate_expiry_seconds', ({ edge: { id }, value, labels: { owner = '' } }) =>
        expiring(facts.now, value * 1000, days, `${id}/${owner}`, `the certificate of ${owner} at ${id}`),
      ),
  },
  'control-certificate-expires': {
    source: 'control',
    find: ({ replicas, now }, days) =>
      replicas.flatMap(({ name, report: { certificates } }) =>
        certificates.flatMap(({ owner, expiresAt }) =>
          fleetWide(
            expiring(
              now,
              expiresAt,
              days,
              `${name}/${owner}`,
              `the certificate for ${owner} of control at ${name}`,
            ),
          ),
        ),
      ),
  },
  'credential-expires': {
    source: 'heartbeats',
    find: (facts, days) => [
      ...perGauge(facts, 'credential_expiry_seconds', ({ edge: { id }, value }) =>
        expiring(facts.now, value * 1000, days, id, `the credential of ${id} for NATS`),
      ),
      ...facts.replicas.flatMap(({ name, report: { credentialExpiresAt } }) =>
        credentialExpiresAt === undefined
          ? []
          : fleetWide(
              expiring(
                facts.now,
                credentialExpiresAt,
                days,
                name,
                `the credential of control at ${name} for NATS`,
              ),
            ),
      ),
    ],
  },
  'token-expires': {
    source: 'control',
    find: ({ tokens, now }, days) =>
      // Several tokens can have one name: the one that expires last counts, because the others were replaced.
      [...Map.groupBy(tokens, ({ name }) => name)].flatMap(([name, same]) =>
        fleetWide(
          expiring(
            now,
            Math.max(...same.map(({ expiresAt }) => expiresAt.getTime())),
            days,
            name,
            `the token ${name}`,
          ),
        ),
      ),
  },
  'control-down': {
    source: 'control',
    find: ({ replicas }) =>
      replicas
        .filter(({ ageMs }) => ageMs > replicaSilentMs)
        .map(({ name }) =>
          ofFleet(
            name,
            `the control process at ${name} does not report: it died, hangs, or cannot use Postgres`,
          ),
        ),
  },
  'postgres-down': {
    source: 'control',
    find: ({ replicas, now }) =>
      replicas.flatMap(({ name, report: { postgresOutage: outage } }) =>
        outage === undefined || now - outage.to > recentMs || outage.to - outage.from < outageLeastMs
          ? []
          : [
              {
                ...ofFleet(
                  name,
                  `control at ${name} could not use Postgres from ${new Date(outage.from).toISOString()} to ${new Date(outage.to).toISOString()}: ${outage.reason}`,
                ),
                since: outage.from,
              },
            ],
      ),
  },
  'nats-down': {
    source: 'control',
    find: ({ replicas }) =>
      replicas
        .filter(({ ageMs, report: { nats } }) => ageMs <= replicaSilentMs && nats !== 'ok')
        .map(({ name, report: { nats } }) => ofFleet(name, `control at ${name} cannot use NATS: ${nats}`)),
  },
  'timer-overdue': {
    source: 'control',
    find: ({ lateTimers }) =>
      lateTimers.map(({ name, trouble }) => ofFleet(name, `the timer ${name} is overdue: ${trouble}`)),
  },
  'ingest-lags': {
    source: 'control',
    find: ({ replicas }, secondsMax) => {
      const lags = replicas.flatMap(({ ageMs, report: { lagMs } }) =>
        ageMs <= replicaSilentMs && lagMs !== undefined ? [lagMs / 1000] : [],
      )
      const isWaiting = replicas.some(({ report: { waiting = 0 } }) => waiting > 0)
      const least = Math.min(...lags)
      return lags.length > 0 && isWaiting && least > secondsMax
        ? [ofFleet('fleet', `reports wait ${Math.round(least)} s before control stores them`)]
        : []
    },
  },
  'ingest-stands': {
    source: 'control',
    find: ({ edges, replicas, isDeaf, now }) => {
      const storedAt = Math.max(0, ...replicas.map(({ report }) => report.storedAt ?? 0))
      return !isDeaf && edges.some(({ isHeard }) => isHeard) && now - storedAt > recentMs
        ? [ofFleet('fleet', 'edges are up, but control stores none of their reports')]
        : []
    },
  },
}

const recentMs = 300_000
/** How long a rejected message counts. */
const rejectedMs = 900_000
/** A shorter outage of Postgres is a failover, and opens no alert. */
const outageLeastMs = 60_000

const isExhaustion = (reason: string): boolean => reason.startsWith('out-of-')
const inPercent = (value: number): string => `${Math.round(value)} %`

const ofFleet = (subject: string, text: string): Found => ({ subject, text, region: null, edge: null })
const fleetWide = (found: Part | undefined): Found[] =>
  found ? [{ ...found, region: null, edge: null }] : []

type Part = Pick<Found, 'subject' | 'text'>
type Parts = Part | readonly Part[] | undefined

const partsOf = (found: Parts): readonly Part[] =>
  found === undefined ? [] : 'subject' in found ? [found] : found

const perEdge = ({ edges }: AlertFacts, find: (edge: EdgeFacts) => Parts): Found[] =>
  edges.flatMap((edge) =>
    partsOf(find(edge)).map((part) => ({ ...part, region: edge.region, edge: edge.id })),
  )

interface GaugeReading {
  edge: EdgeFacts
  value: number
  labels: Readonly<Record<string, string>>
}

/** Each series of a gauge, of edges that are heard. */
const perGauge = (facts: AlertFacts, name: string, find: (reading: GaugeReading) => Parts): Found[] =>
  perEdge(facts, (edge) =>
    edge.isHeard ? readingsOf(edge, name).flatMap((reading) => partsOf(find(reading))) : [],
  )

/** Whether a mail server of an edge is down. The rule upstream-down covers that. */
const isDown = (edge: EdgeFacts, upstream: string): boolean =>
  readingsOf(edge, 'upstream_healthy').some(
    ({ labels, value }) => labels['upstream'] === upstream && value < 1,
  )

const isAboutServerDown = (edge: EdgeFacts, text: string): boolean => {
  const about = serverProblemIn(text)
  return about !== undefined && isDown(edge, about.upstream)
}

const reasonsOf = ({ problems }: EdgeFacts, upstream: string): string[] => {
  const reasons = problems.flatMap(({ kind, text }) => {
    const about = kind === 'reported' ? serverProblemIn(text) : undefined
    return about?.upstream === upstream ? [about.reason] : []
  })
  return reasons.length === 0 ? [] : [reasons.join('; ')]
}

const readingsOf = (edge: EdgeFacts, name: string): GaugeReading[] =>
  seriesOf(edge.gauges, name).map((series) => ({ edge, ...series }))

/** All problems of these kinds of one edge are one alert. */
const byProblem = (
  facts: AlertFacts,
  kinds: readonly EdgeProblem['kind'][],
  counts: (problem: EdgeProblem, edge: EdgeFacts) => boolean = () => true,
): Found[] =>
  perEdge(facts, (edge) => {
    const { id, problems } = edge
    const texts = problems
      .filter((problem) => kinds.includes(problem.kind) && counts(problem, edge))
      .map(({ text }) => text)
    return texts.length === 0 ? undefined : { subject: id, text: `${id}: ${texts.join('; ')}` }
  })

function nearLimits(facts: AlertFacts, percentMax: number): Found[] {
  return perEdge(facts, (edge) => {
    const { id, isHeard, gauges } = edge
    if (!isHeard) return []
    const near = (used: number | undefined, max: number | undefined) =>
      used !== undefined && max !== undefined && max > 0 && (100 * used) / max > percentMax
    const maxima = new Map(
      readingsOf(edge, 'upstream_connections_limit').map(({ labels, value }) => [
        labels['upstream'] ?? '',
        value,
      ]),
    )
    const upstreams = readingsOf(edge, 'upstream_connections_used').flatMap(
      ({ labels: { upstream = '' }, value }) =>
        near(value, maxima.get(upstream))
          ? [
              {
                subject: `${id}/${upstream}`,
                text: `${id} uses ${value} of ${maxima.get(upstream)} connections to ${upstream}`,
              },
            ]
          : [],
    )
    const { clients_connected: clients, clients_limit: clientsMax } = gauges
    return near(clients, clientsMax)
      ? [...upstreams, { subject: id, text: `${id} has ${clients} of ${clientsMax} clients` }]
      : upstreams
  })
}

/** Below this number of reuses per second the share is not significant. */
const reusesPerSecondLeast = 1

function reuseFallen(facts: AlertFacts, percentMin: number): Found[] {
  return [...Map.groupBy(facts.edges, ({ region }) => region)].flatMap(([region, edges]) => {
    const total = (name: string) =>
      edges.reduce((sum, { id }) => sum + sumOf(facts.counted.minutes15.get(id) ?? {}, name), 0)
    const reuses = total('upstream_reuses_total')
    const share = (100 * reuses) / (reuses + total('upstream_connections_total'))
    return reuses / 900 > reusesPerSecondLeast && share < percentMin
      ? [
          {
            subject: region,
            region,
            edge: null,
            text: `only ${inPercent(share)} of the logins in ${region} reuse a connection`,
          },
        ]
      : []
  })
}

function expiring(now: number, at: number, days: number, subject: string, what: string): Part | undefined {
  if (at - now >= days * dayMs) return undefined
  const when = new Date(at).toISOString()
  return { subject, text: at <= now ? `${what} expired at ${when}` : `${what} expires at ${when}` }
}

type Labels = Readonly<Record<string, string>>

function sumOf(
  counts: Readonly<Record<string, number>>,
  name: string,
  isMeant: (labels: Labels) => boolean = () => true,
): number {
  let sum = 0
  for (const { labels, value } of seriesOf(counts, name)) if (isMeant(labels)) sum += value
  return sum
}

/** The labels of the series that grew. */
const growing = (
  counts: Readonly<Record<string, number>> | undefined,
  name: string,
  isMeant: (labels: Labels) => boolean,
): Labels[] =>
  seriesOf(counts ?? {}, name).flatMap(({ labels, value }) => (value > 0 && isMeant(labels) ? [labels] : []))
