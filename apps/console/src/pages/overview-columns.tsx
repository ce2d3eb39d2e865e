/** The columns of the table of edges. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import { EdgeStateBadge } from '../fleet/edge-state.tsx'
import { figureWindow, isNearLimit, rankOf, type TableEdge, type SortKey } from '../fleet/edge-rows.ts'
import { countOf, loading, none, rateOf, shareOf } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { formatValue } from '../format/value.ts'
import { PageLink } from '../router/link.tsx'
import { Bar } from '../ui/bar.tsx'
import type { LongColumn } from '../ui/long-table.tsx'

/** The last figures of a silent edge are outdated and not shown. */
const now = (edge: EdgeView, value: number) => (isHeard(edge) ? countOf(value) : none)

const figure = ({ figures }: TableEdge, text: (figures: NonNullable<TableEdge['figures']>) => string) =>
  figures === undefined ? loading : text(figures)

const recent = `of the last ${figureWindow.words}`

export const edgeColumns: readonly LongColumn<TableEdge, SortKey>[] = [
  {
    key: 'edge',
    title: 'Edge',
    class: 'col-name',
    cell: (row) => (
      <>
        <Sign row={row} />
        <PageLink href={`/edges/${encodeURIComponent(row.edge.id)}`} title={row.edge.id}>
          {row.edge.id}
        </PageLink>
      </>
    ),
  },
  { key: 'region', title: 'Region', class: 'col-region', cell: ({ edge }) => edge.region },
  { key: 'state', title: 'State', class: 'col-state', cell: ({ edge }) => <EdgeStateBadge edge={edge} /> },
  {
    key: 'problems',
    title: 'Problem',
    help: 'Edges with problems first, the most serious first',
    class: 'col-problem',
    cell: ({ findings }) => {
      const text = findings.map((finding) => finding.text).join(' ')
      return <span title={text}>{text}</span>
    },
  },
  {
    key: 'sessions',
    title: 'Sessions/s',
    help: `Sessions that ended per second ${recent}`,
    class: 'number col-sessions',
    cell: (row) => figure(row, ({ sessions }) => rateOf(sessions)),
  },
  {
    key: 'reuse',
    title: 'Reused',
    help: `Share of logins that reused a connection ${recent}`,
    class: 'number',
    cell: (row) => figure(row, ({ reuse }) => shareOf(reuse, 1)),
  },
  {
    key: 'failed',
    title: 'Failed/s',
    help: `Logins that failed per second ${recent}: an outage, a limit, missing TLS`,
    class: 'number col-failed',
    cell: (row) => figure(row, ({ failed }) => rateOf(failed)),
  },
  {
    key: 'refused',
    title: 'Refused/s',
    help: `Logins that the mail server refused per second ${recent}: wrong passwords`,
    class: 'number col-refused',
    cell: (row) => figure(row, ({ refused }) => rateOf(refused)),
  },
  {
    key: 'login',
    title: 'Login p95',
    help: `95 of 100 logins ${recent} were answered within this time`,
    class: 'number col-login',
    cell: (row) => figure(row, ({ login }) => formatValue(login, 'seconds')),
  },
  {
    key: 'clients',
    title: 'Clients',
    help: 'Connected clients',
    class: 'number col-clients',
    cell: ({ edge }) => now(edge, edge.connections.clients),
  },
  {
    key: 'connections',
    title: 'Server connections',
    help: 'Used and idle connections to mail servers, in relation to connectionsMax',
    class: 'col-capacity',
    cell: ({ edge }) => <Capacity edge={edge} />,
  },
  {
    key: 'revision',
    title: 'Revision',
    help: 'Applied revision of the configuration',
    class: 'number col-revision',
    cell: ({ edge }) => <Applied edge={edge} />,
  },
  {
    key: 'heard',
    title: 'Heard',
    help: 'Time since the last heartbeat',
    class: 'number col-heard',
    cell: ({ edge }) => durationOf(Date.now() - Date.parse(edge.lastSeenAt)),
  },
]

/** By rank. */
const signs: readonly (readonly [tone: string, words: string])[] = [
  ['bad', 'Something is wrong'],
  ['warn', 'Worth knowing'],
]

/** Marks an edge with problems; the column of problems is not in every window. */
function Sign({ row }: { row: TableEdge }) {
  const [tone, words] = signs[rankOf(row)] ?? []
  if (tone === undefined) return <span class="sign" />
  const text = row.findings.map((finding) => finding.text).join(' ')
  return <span class={`sign ${tone}`} role="img" aria-label={words} title={text} />
}

function Capacity({ edge }: { edge: EdgeView }) {
  const { active, cached } = edge.connections
  if (!isHeard(edge)) return <span class="unknown-capacity">{none}</span>
  const limit = edge.limits?.connections
  const words = `${countOf(active)} in use, ${countOf(cached)} idle${limit === undefined ? '' : `, of ${countOf(limit)}`}`
  return (
    <span class={`capacity-bar ${isNearLimit(edge) ? 'full' : ''}`} title={words}>
      <Bar label={words} parts={[cached, active]} all={limit ?? active + cached} />
      <span>
        {countOf(active + cached)}
        {limit !== undefined && <span class="soft"> / {countOf(limit)}</span>}
      </span>
    </span>
  )
}

/** The applied revision, and the desired one if it differs. */
const Applied = ({ edge: { config } }: { edge: EdgeView }) =>
  config.applied === config.wanted ? (
    <>{config.applied}</>
  ) : (
    <span class="drift">
      {config.applied} of {config.wanted}
    </span>
  )
