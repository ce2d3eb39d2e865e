/** An edge in the form of the API: its last heartbeat, and its desired revision. */
import { seriesKey, seriesOf } from '@imapfleet/observe'
import type { EdgeProblem, EdgeView } from '@imapfleet/api'
import type { EdgeRow } from './queries.ts'
import { wireVersion } from '@imapfleet/protocol'
import { instancesOf, edgeProblems } from './problems.ts'
import { resolve, type LayersByName, type Rolling } from '../desired/service.ts'

/** `enrolled`: edge → whether it has a valid credential. */
export function edgeView(
  row: EdgeRow,
  layers: LayersByName,
  rolling: Rolling | undefined,
  enrolled: ReadonlyMap<string, boolean>,
  /** What control refuses of its messages. */
  refused: readonly EdgeProblem[] = [],
): EdgeView {
  const hasCredential = enrolled.get(row.id)
  const wanted = resolve({ edge: row.id, region: row.region }, layers, rolling)
  const gauge = (name: string) => wholeNumberOf(row.gauges[name])
  return {
    id: row.id,
    region: row.region,
    state: row.missing ? 'silent' : row.wireVersion === wireVersion ? row.state : 'incompatible',
    version: row.version,
    boot: row.boot,
    startedAt: row.startedAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    connections: {
      cached: gauge('upstreams_idle'),
      active: gauge('upstreams_leased'),
      clients: gauge('clients_connected'),
    },
    pool: {
      dialing: gauge('upstreams_dialing'),
      leased: gauge('upstreams_leased'),
      resetting: gauge('upstreams_resetting'),
      idle: gauge('upstreams_idle'),
      waiting: gauge('leases_waiting'),
    },
    ...limitsOf(row.gauges),
    upstreams: upstreamsOf(row.gauges),
    config: {
      wanted: wanted.revision,
      applied: row.configApplied,
      rejected:
        row.configRejected === null
          ? null
          : { revision: row.configRejected, reason: row.configRejectedReason ?? '' },
    },
    degraded: row.degraded,
    problems: edgeProblems(row, { ...wanted, hasCredential }, refused),
    instances: instancesOf(row).length,
    clockSkewMs: row.clockSkewMs,
    wireVersion: row.wireVersion,
    listeners: row.listeners,
    drain: row.drain,
    ...(row.forgottenAt && { forgottenAt: row.forgottenAt.toISOString() }),
    ...(hasCredential !== undefined && { credential: hasCredential ? 'valid' : 'revoked' }),
  }
}

const wholeNumberOf = (value: number | undefined): number => Math.max(0, Math.trunc(value ?? 0))

/** Nothing if the edge is older than these gauges. */
function limitsOf(gauges: Readonly<Record<string, number>>): Pick<EdgeView, 'limits'> {
  if (gauges['clients_limit'] === undefined) return {}
  const ofUpstreams = seriesOf(gauges, 'upstream_connections_limit')
  return {
    limits: {
      clients: wholeNumberOf(gauges['clients_limit']),
      connections: wholeNumberOf(ofUpstreams.reduce((sum, { value }) => sum + value, 0)),
    },
  }
}

function upstreamsOf(gauges: Readonly<Record<string, number>>): NonNullable<EdgeView['upstreams']> {
  return seriesOf(gauges, 'upstream_healthy')
    .map(({ labels, value }) => {
      const name = labels['upstream'] ?? ''
      const paused = gauges[seriesKey('upstream_paused', { upstream: name })]
      return { name, healthy: value >= 1, ...(paused !== undefined && { paused: paused >= 1 }) }
    })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}
