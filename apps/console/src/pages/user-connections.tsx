/** The connections of a user, or of all users, over the whole fleet: an order to every edge. */
import type { OrderView } from '@imapfleet/api'
import type { Connection } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { requestOrder } from '@imapfleet/client'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { placeOrder } from '../fleet/give-order.tsx'
import { amountOf, countOf } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

interface Row extends Connection {
  edge: string
  region: string
}

const shownMax = 500

export function UserConnections({ user }: { user: string | undefined }) {
  const [isKicking, setKicking] = useState(false)
  const action = { kind: 'who', ...(user === undefined ? {} : { user }) } as const
  const answer = useAnswer(`who ${user ?? ''}`, (signal) => requestOrder({ call }, { action }, { signal }))
  return (
    <Card
      title={user === undefined ? 'All users' : <>Connections of {user}</>}
      about={answer.data && summaryOf(answer.data)}
      actions={
        <>
          <button type="button" class="button" onClick={answer.reload}>
            Refresh
          </button>
          {user !== undefined && (
            <>
              <PageLink class="button" href={`/trace?user=${encodeURIComponent(user)}`}>
                Trace
              </PageLink>
              <button type="button" class="button danger" onClick={() => setKicking(true)}>
                Kick
              </button>
            </>
          )}
        </>
      }
    >
      <Answered answer={answer}>{(order) => <Found order={order} user={user} />}</Answered>
      {isKicking && user !== undefined && (
        <ConfirmDialog
          title={`Kick ${user}?`}
          name={user}
          action="Kick"
          isDangerous
          onConfirm={async () => {
            await placeOrder({ action: { kind: 'kick-user', user } })
            answer.reload()
          }}
          onClose={() => setKicking(false)}
        >
          Ends all sessions of this user on all edges. The user can log in again immediately. To prevent that,
          change the password and revoke the user.
        </ConfirmDialog>
      )}
    </Card>
  )
}

function Found({ order, user }: { order: OrderView<'who'>; user: string | undefined }) {
  const rows = rowsOf(order)
  const missing = order.edges.filter(({ status }) => status !== 'answered')
  return (
    <>
      {missing.length > 0 && (
        <div class="card-body">
          <Note tone="warn">
            No answer from {missing.map(({ id, reason }) => `${id} (${reason})`).join(', ')}.
          </Note>
        </div>
      )}
      {rows.length === 0 ? (
        <Empty title={user === undefined ? 'No connections' : `${user} is not connected`}>
          {order.edges.length === 0
            ? 'There are no edges yet.'
            : `${amountOf(order.edges.length - missing.length, 'edge')} answered. Login names are case-sensitive.`}
        </Empty>
      ) : (
        <Table
          caption="Connections"
          columns={user === undefined ? [nameColumn, ...columns] : columns}
          rows={rows.slice(0, shownMax)}
          keyOf={(row) =>
            `${row.edge} ${row.user} ${row.upstream} ${row.since} ${row.client} ${row.uses} ${row.state}`
          }
        />
      )}
      {rows.length > shownMax && (
        <p class="card-body soft">
          The first {shownMax} of {countOf(rows.length)}: search for one user, or use{' '}
          <code>imapfleet who</code>.
        </p>
      )}
    </>
  )
}

const rowsOf = (order: OrderView<'who'>): Row[] =>
  order.edges.flatMap(({ id, region, result }) =>
    (result ?? []).map((connection) => ({ edge: id, region, ...connection })),
  )

function summaryOf(order: OrderView<'who'>): string {
  const rows = rowsOf(order)
  const used = rows.filter(({ state }) => state === 'leased').length
  const edges = new Set(rows.map(({ edge }) => edge)).size
  const users = new Set(rows.map(({ user }) => user)).size
  const who = users > 1 ? `${amountOf(users, 'user')}, ` : ''
  return `${who}${amountOf(rows.length, 'connection')} over ${amountOf(edges, 'edge')}: ${used} in use`
}

const words = { leased: 'in use', resetting: 'resetting', idle: 'idle' } as const
const tones = { leased: 'good', resetting: 'warn', idle: 'still' } as const

const nameColumn: TableColumn<Row> = {
  title: 'User',
  kind: 'wide',
  cell: ({ user }) => <PageLink href={`/users?user=${encodeURIComponent(user)}`}>{user}</PageLink>,
}

const columns: TableColumn<Row>[] = [
  {
    title: 'Edge',
    cell: ({ edge }) => <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink>,
  },
  { title: 'Region', kind: 'fixed', cell: ({ region }) => region },
  { title: 'State', kind: 'fixed', cell: ({ state }) => <Badge tone={tones[state]}>{words[state]}</Badge> },
  { title: 'Client', cell: ({ client }) => (client === undefined ? '' : <code>{client}</code>) },
  { title: 'Mail server', cell: ({ upstream }) => upstream },
  { title: 'Uses', kind: 'number', cell: ({ uses }) => countOf(uses) },
  { title: 'Last used', kind: 'number', cell: ({ since }) => `${durationOf(Date.now() - since)} ago` },
]
