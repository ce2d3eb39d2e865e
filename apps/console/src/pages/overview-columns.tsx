/** The columns of the overview. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import { EdgeStateBadge } from '../fleet/edge-state.tsx'
import { trafficText, loginsAvoided, reuseShare, sessionRate, type Traffic } from '../fleet/traffic.ts'
import { countOf, none } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { PageLink } from '../router/link.tsx'
import { Spark } from '../ui/spark.tsx'
import type { TableColumn } from '../ui/table.tsx'

export interface OverviewRow {
  edge: EdgeView
  /** Undefined while it is loading. */
  traffic: Traffic | undefined
}

/** The last figures of a silent edge are outdated and not shown. */
const now = (edge: EdgeView, value: number) => (isHeard(edge) ? countOf(value) : none)

export const edgeColumns: TableColumn<OverviewRow>[] = [
  {
    title: 'Edge',
    kind: 'head',
    cell: ({ edge }) => <PageLink href={`/edges/${encodeURIComponent(edge.id)}`}>{edge.id}</PageLink>,
  },
  { title: 'State', kind: 'fixed', cell: ({ edge }) => <EdgeStateBadge edge={edge} /> },
  {
    title: 'Sessions/s',
    kind: 'number',
    cell: ({ traffic }) => (
      <span class="with-spark">
        <Spark values={traffic?.sessions ?? []} label="Sessions per second" width={72} height={20} />
        <span class="rate">{trafficText(traffic, sessionRate)}</span>
      </span>
    ),
  },
  {
    title: 'Reuse ratio',
    kind: 'number',
    cell: ({ traffic }) => trafficText(traffic, reuseShare),
  },
  { title: 'Logins avoided', kind: 'number', cell: ({ traffic }) => trafficText(traffic, loginsAvoided) },
  { title: 'In use', kind: 'number', cell: ({ edge }) => now(edge, edge.connections.active) },
  { title: 'Idle', kind: 'number', cell: ({ edge }) => now(edge, edge.connections.cached) },
  { title: 'Clients', kind: 'number', cell: ({ edge }) => now(edge, edge.connections.clients) },
  { title: 'Revision', kind: 'number', cell: ({ edge }) => <Applied edge={edge} /> },
  {
    title: 'Last seen',
    kind: 'number',
    cell: ({ edge }) => `${durationOf(Date.now() - Date.parse(edge.lastSeenAt))} ago`,
  },
]

/** The applied revision, and the desired one if it differs. */
const Applied = ({ edge: { config } }: { edge: EdgeView }) =>
  config.applied === config.wanted ? (
    <>{config.applied}</>
  ) : (
    <span class="drift">
      {config.applied} of {config.wanted}
    </span>
  )
