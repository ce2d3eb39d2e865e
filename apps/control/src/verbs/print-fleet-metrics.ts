/**
 * The whole fleet for Prometheus: every edge's figures by its last heartbeat, and what control knows of it. Figures of a
 * silent edge are left out, so that nothing old passes for new; that it is silent is told.
 */
import { headOf, labelValue, printPrometheus, type EdgeView, type Figures } from '@imapfleet/protocol'
import type { CountingEdgeRow } from '../db/edges.ts'
import type { Deps } from '../deps.ts'
import { listCountingViews } from './list-edges.ts'

export async function printFleetMetrics(deps: Deps): Promise<string> {
  const edges = await listCountingViews(deps)
  const lines = ownMetrics.flatMap(({ name, help, value }) => [
    ...headOf(`imapfleet_${name}`, 'gauge', help),
    ...edges.map(({ view }) => `imapfleet_${name}{${labelsOf(view)}} ${value(view)}`),
  ])
  return `${lines.join('\n')}\n${printPrometheus(edges.filter(({ row }) => !row.silent).map(figuresOf))}`
}

/** What an edge cannot say of itself. */
const ownMetrics: { name: string; help: string; value: (view: EdgeView) => number }[] = [
  {
    name: 'edge_up',
    help: '1 while heartbeats of this edge come; 0 when three were missed.',
    value: ({ state }) => (state === 'silent' ? 0 : 1),
  },
  {
    name: 'edge_draining',
    help: '1 while the fleet wants this edge to take no clients.',
    value: ({ drain }) => (drain ? 1 : 0),
  },
  {
    name: 'edge_revision_wanted',
    help: 'Configuration revision that this edge should run.',
    value: ({ config }) => config.wanted,
  },
  {
    name: 'edge_revision_applied',
    help: 'Configuration revision that this edge runs.',
    value: ({ config }) => config.applied,
  },
  {
    name: 'edge_last_seen_seconds',
    help: 'When this edge was last heard of, in seconds since 1970.',
    value: ({ lastSeenAt }) => Date.parse(lastSeenAt) / 1000,
  },
]

const labelsOf = ({ id, region }: { id: string; region: string }) =>
  `edge="${labelValue(id)}",region="${labelValue(region)}"`

function figuresOf({ row }: { row: CountingEdgeRow }): Figures {
  return {
    labels: labelsOf(row),
    values: { ...row.counted?.counters, ...row.gauges },
    histograms: row.counted?.logins ? { login_seconds: row.counted.logins } : {},
  }
}
