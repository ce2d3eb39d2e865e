/** Running and ended traces; starts a new one. */
import type { TraceView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { Page } from '../layout/page.tsx'
import { PageLink } from '../router/link.tsx'
import { search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty, EmptyCommand } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { StartTrace } from './start-trace.tsx'

export const isRunning = ({ endedAt, expiresAt }: TraceView): boolean =>
  endedAt === null && Date.parse(expiresAt) > Date.now()

export function Traces() {
  // The page of a user links here with the user in the address.
  const user = search.value.get('user') ?? ''
  // The page of an edge links here with its name and its region: a trace runs on all edges, or on the edges of a region.
  const edge = search.value.get('edge') ?? ''
  const region = search.value.get('region')
  const [isStarting, setStarting] = useState(user !== '')
  const pages = usePages<TraceView, string>(
    'traces',
    async (page, signal) => {
      const { traces, next } = await call('listTraces', { query: page, signal })
      return { rows: traces, next }
    },
    { everyMs: 5_000 },
  )
  const close = () => {
    setStarting(false)
    // Some traces may have been started.
    pages.reload()
  }
  return (
    <Page
      title="Trace"
      about="The IMAP protocol between a user’s clients and the servers, live from every edge. Passwords are never shown."
      actions={
        <>
          {edge !== '' && (
            <PageLink class="button" href="/trace">
              All traces, not only those on {edge}
            </PageLink>
          )}
          <button type="button" class="button primary" onClick={() => setStarting(true)}>
            Trace a user
          </button>
        </>
      }
    >
      {isStarting && <StartTrace user={user} onClose={close} />}
      <section class="card">
        <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
          {(all) => {
            const traces =
              edge === '' ? all : all.filter((trace) => trace.region === null || trace.region === region)
            if (edge !== '' && traces.length === 0)
              return (
                <Empty title={`No recent trace on ${edge}`}>
                  <PageLink href="/trace">Show all traces</PageLink>
                </Empty>
              )
            return traces.length === 0 ? (
              <Empty title="No traces yet">
                {' '}
                Trace a user to see what the client sends and receives, here or with{' '}
                <EmptyCommand text="imapfleet trace alice@example.org" after="." />
              </Empty>
            ) : (
              <>
                <Table caption="Traces" columns={columns} rows={traces} keyOf={({ id }) => id} />
                <Older onClick={pages.older} />
              </>
            )
          }}
        </Answered>
      </section>
    </Page>
  )
}

const columns: TableColumn<TraceView>[] = [
  { title: 'User', kind: 'head', cell: ({ id, user }) => <PageLink href={`/trace/${id}`}>{user}</PageLink> },
  {
    title: 'State',
    kind: 'fixed',
    cell: (trace) =>
      isRunning(trace) ? <Badge tone="good">running</Badge> : <Badge tone="still">ended</Badge>,
  },
  { title: 'Started', kind: 'fixed', cell: ({ createdAt }) => <Moment at={createdAt} /> },
  {
    title: 'Until',
    kind: 'fixed',
    cell: ({ endedAt, expiresAt }) => <Moment at={endedAt ?? expiresAt} />,
  },
  { title: 'By', kind: 'fixed', cell: ({ createdBy }) => createdBy },
  { title: 'Bodies', kind: 'fixed', cell: ({ bodies }) => (bodies ? 'included' : 'length only') },
]
