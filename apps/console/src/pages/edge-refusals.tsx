/** Why an edge did not keep connections. */
import type { EdgeView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { refusalMetrics, refusalsOf, type RefusalCount } from '../fleet/refusals.ts'
import { countOf, shareOf } from '../format/number.ts'
import { Answered } from '../ui/answered.tsx'
import { Bar } from '../ui/bar.tsx'
import { Card } from '../ui/card.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

export function Refusals({ edge: { id } }: { edge: EdgeView }) {
  const answer = useAnswer(
    `refusals ${id}`,
    (signal) =>
      call('readHistory', {
        query: { metrics: refusalMetrics.join(','), from: '-24h', step: '1d', edge: id },
        signal,
      }),
    { everyMs: 30_000 },
  )
  return (
    <Card
      title="Why connections were not reused"
      about="Connections closed after a session instead of kept, last 24 hours"
    >
      <Answered answer={answer}>
        {(history) => {
          const { all, reasons, sessions } = refusalsOf(history)
          return reasons.length === 0 ? (
            <NoRefusal sessions={sessions} />
          ) : (
            <Table
              caption="Reasons for refused reuse"
              columns={columnsOf(all)}
              rows={reasons}
              keyOf={({ reason }) => reason}
            />
          )
        }}
      </Answered>
    </Card>
  )
}

/** @param sessions Sessions that ended; null if nothing was reported */
function NoRefusal({ sessions }: { sessions: number | null }) {
  if (sessions === null) return <Empty title="No reports in the last 24 hours" />
  if (sessions === 0) return <Empty title="No session ended in the last 24 hours" />
  return <Empty title="No connection was closed">Every connection was proven clean and kept.</Empty>
}

const columnsOf = (all: number): TableColumn<RefusalCount>[] => [
  { title: 'Reason', kind: 'fixed', cell: ({ reason }) => <code>{reason}</code> },
  { title: 'Count', kind: 'number', cell: ({ count }) => countOf(count) },
  {
    title: 'Share',
    kind: 'number',
    cell: ({ count }) => (
      <span class="share">
        <Bar label={`${count} of ${all}`} parts={[count]} all={all} />
        {shareOf(count, all)}
      </span>
    ),
  },
  { title: 'What it means', kind: 'wide', cell: ({ text }) => <span class="soft">{text}</span> },
]
