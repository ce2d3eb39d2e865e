/** The mail servers of an edge: health, counts, and pausing. */
import { isHeard, type EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { placeOrder } from '../fleet/give-order.tsx'
import { countOf } from '../format/number.ts'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Moment } from '../ui/moment.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'

interface Row {
  name: string
  healthy: boolean
  /** Undefined: the edge does not say. */
  paused: boolean | undefined
  counts: readonly (number | null)[]
}

const metrics = [
  'logins_total{result="ok"}',
  'logins_total{result="refused"}',
  'upstream_reuses_total',
  'upstream_connections_total',
  'upstream_failures_total',
]

export function Upstreams({ edge, onDone }: { edge: EdgeView; onDone: () => void }) {
  const { id, upstreams = [] } = edge
  // A silent or forgotten edge may have changed since, and carries out no orders.
  const isPresent = isHeard(edge) && edge.forgottenAt === undefined
  const [pausing, setPausing] = useState<string>()
  const { data } = useAnswer(
    `upstreams ${id}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: metrics.join(','), from: '-1h', step: '1h', groupBy: 'upstream', edge: id },
        signal,
      }),
    { everyMs: 10_000 },
  )
  const rows = upstreams.map(({ name, healthy, paused }) => ({
    ...{ name, healthy, paused },
    // If a server has any counts, a missing series means zero.
    counts: data?.groups.find(({ group }) => group === name)?.totals.map((count) => count ?? 0) ?? [],
  }))
  const target = { kind: 'edge', name: id } as const
  const resume = (upstream: string) =>
    void placeOrder({ target, action: { kind: 'resume-upstream', upstream } }).then(
      onDone,
      (error: unknown) => tell('bad', sentenceOf(error)),
    )
  const actions: TableColumn<Row> = {
    title: 'Actions',
    kind: 'actions',
    needs: 'giveOrder',
    // An older edge does not say whether it is paused.
    cell: ({ name, paused }) => (
      <span class="row">
        {paused !== true && (
          <button type="button" class="button small danger" onClick={() => setPausing(name)}>
            Pause
          </button>
        )}
        {paused !== false && (
          <button type="button" class="button small" onClick={() => resume(name)}>
            Resume
          </button>
        )}
      </span>
    ),
  }
  return (
    <Card
      title="Mail servers"
      about={
        isPresent ? (
          'Counts of the last hour'
        ) : (
          <>
            Health as of the last heartbeat, <Moment at={edge.lastSeenAt} />; counts of the last hour
          </>
        )
      }
    >
      {rows.length === 0 ? (
        <Empty title="No mail servers yet">The first heartbeat of the edge lists them.</Empty>
      ) : (
        <Table
          caption={`Mail servers of ${id}`}
          columns={isPresent ? [...columnsOf(isPresent), actions] : columnsOf(isPresent)}
          rows={rows}
          keyOf={({ name }) => name}
        />
      )}
      {pausing !== undefined && (
        <ConfirmDialog
          title={`Pause ${pausing} on ${id}?`}
          name={pausing}
          action="Pause"
          isDangerous
          onConfirm={async () => {
            await placeOrder({ target, action: { kind: 'pause-upstream', upstream: pausing } })
            onDone()
          }}
          onClose={() => setPausing(undefined)}
        >
          This edge opens no new connections to it until you resume it. Users without an idle connection
          cannot log in here.
        </ConfirmDialog>
      )}
    </Card>
  )
}

/** `isPresent`: the health is known now. */
const columnsOf = (isPresent: boolean): TableColumn<Row>[] => [
  { title: 'Name', kind: 'head', cell: ({ name }) => name },
  {
    title: 'Health',
    kind: 'fixed',
    cell: ({ healthy, paused }) => (
      <>
        <Badge tone={isPresent ? (healthy ? 'good' : 'bad') : 'still'}>{healthy ? 'up' : 'down'}</Badge>{' '}
        {paused === true && <Badge tone={isPresent ? 'warn' : 'still'}>paused</Badge>}
      </>
    ),
  },
  ...['Logins', 'Refused logins', 'Reused', 'New connections', 'Failures'].map(
    (title, index): TableColumn<Row> => ({
      title,
      kind: 'number',
      cell: ({ counts }) => countOf(counts[index]),
    }),
  ),
]
