/** Operations in stages, region by region, with buttons to continue and abort them. */
import type { OperationSummary } from '@imapfleet/api'
import { call, sentenceOf } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { targetWords } from '../fleet/account.tsx'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'
import { StatusBadge } from './status-badge.tsx'

/** Short, because an operation moves on by itself. */
const everyMs = 3_000

export function Operations() {
  const load = async (page: { limit: number; before?: number | undefined }, signal: AbortSignal) => {
    const { operations, next } = await call('listOperations', { query: page, signal })
    return { rows: operations, next }
  }
  const pages = usePages('operations', load, { everyMs })
  const steer = async (id: string, steering: 'continue' | 'abort') => {
    try {
      await call('steerOperation', { params: { id, steering } })
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
    pages.reload()
  }
  return (
    <Card
      title="Operations in stages"
      about="Operations that affect many users run region by region. They stop if an edge fails, or if logins fail more often than before."
    >
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(operations) =>
          operations.length === 0 ? (
            <Empty title="No operations yet">
              <code>imapfleet drain --all</code> is one, if there are several regions.
            </Empty>
          ) : (
            <>
              <Table
                caption="Operations in stages"
                columns={columnsFor(steer)}
                rows={operations}
                keyOf={({ id }) => id}
              />
              <Older onClick={pages.older} />
            </>
          )
        }
      </Answered>
    </Card>
  )
}

const columnsFor = (
  steer: (id: string, steering: 'continue' | 'abort') => Promise<void>,
): TableColumn<OperationSummary>[] => [
  { title: 'When', kind: 'fixed', cell: ({ createdAt }) => <Moment at={createdAt} /> },
  { title: 'Operation', kind: 'wide', cell: ({ title }) => title },
  { title: 'To', kind: 'fixed', cell: ({ target }) => targetWords(target) },
  { title: 'By', kind: 'fixed', cell: ({ createdBy }) => createdBy },
  {
    title: 'State',
    kind: 'fixed',
    cell: ({ state, stages }) => {
      const done = stages.filter((stage) => stage.state === 'done').length
      return (
        <>
          <StatusBadge status={state} /> {done} of {stages.length} regions
        </>
      )
    },
  },
  { title: 'Reason', kind: 'wide', cell: ({ reason }) => reason ?? '' },
  {
    title: 'Actions',
    kind: 'actions',
    cell: ({ id, state }) => (
      <>
        {state === 'stopped' && (
          <button type="button" class="button" onClick={() => void steer(id, 'continue')}>
            Continue
          </button>
        )}
        {(state === 'running' || state === 'stopped') && (
          <button type="button" class="button danger" onClick={() => void steer(id, 'abort')}>
            Abort
          </button>
        )}
      </>
    ),
  },
]
