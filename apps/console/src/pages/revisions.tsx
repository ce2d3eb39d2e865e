/** Revisions, newest first. */
import { layerText, type RevisionView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { amountOf } from '../format/number.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

export function Revisions() {
  const pages = usePages('revisions', async (page, signal) => {
    const { revisions, next } = await call('listRevisions', { query: page, signal })
    return { rows: revisions, next }
  })
  return (
    <Card title="Revisions">
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(revisions) =>
          revisions.length === 0 ? (
            <Empty title="No revisions yet">
              Edges use their own files.{' '}
              <code>imapfleet config set pool.idleTimeoutMs 240000 --region eu</code> writes the first one.
            </Empty>
          ) : (
            <>
              <Table
                caption="Revisions"
                columns={columns}
                rows={revisions}
                keyOf={({ revision }) => revision}
              />
              <Older onClick={pages.older} />
            </>
          )
        }
      </Answered>
    </Card>
  )
}

export const RevisionState = ({ state = 'released' }: Pick<RevisionView, 'state'>) => {
  if (state === 'rolling') return <Badge tone="accent">rolling out</Badge>
  return state === 'withdrawn' ? <Badge tone="warn">rolled back</Badge> : <Badge tone="good">released</Badge>
}

const columns: TableColumn<RevisionView>[] = [
  {
    title: 'Revision',
    kind: 'head',
    cell: ({ revision }) => <PageLink href={`/config/${revision}`}>{revision}</PageLink>,
  },
  { title: 'Layer', kind: 'fixed', cell: ({ layer }) => layerText(layer) },
  { title: 'State', kind: 'fixed', cell: ({ state }) => <RevisionState {...(state && { state })} /> },
  { title: 'When', kind: 'fixed', cell: ({ createdAt }) => <Moment at={createdAt} /> },
  { title: 'Who', kind: 'fixed', cell: ({ createdBy }) => createdBy },
  {
    title: 'What',
    kind: 'wide',
    cell: ({ changes, note }) => (
      <span>
        {changes.length === 1 ? <code>{changes[0]?.key}</code> : amountOf(changes.length, 'key')}
        {note && <span class="soft"> {note}</span>}
      </span>
    ),
  },
]
