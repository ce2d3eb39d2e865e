/** The connections of a user, or of all users, over the whole fleet: an order to every edge. */
import type { OrderedEdge } from '@imapfleet/api'
import type { OrderAction } from '@imapfleet/protocol'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { resultOf } from '../api/contract.ts'
import { useAnswer } from '../api/use-answer.ts'
import { placeOrder } from '../fleet/give-order.tsx'
import { connectionWords, matchingConnections, type FleetConnection } from '../fleet/user-rows.ts'
import { amountOf, countOf, none } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { formatValue } from '../format/value.ts'
import { PageLink } from '../router/link.tsx'
import { search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { UsersTable } from './users-table.tsx'

export function UserConnections({ user }: { user: string | undefined }) {
  const [isKicking, setKicking] = useState(false)
  const answer = useAnswer(`who ${user ?? ''}`, (signal) =>
    askConnections({ kind: 'who', ...(user !== undefined && { user }) }, signal),
  )
  return (
    <Card
      title={user === undefined ? 'Users by sessions' : <>Connections of {user}</>}
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
      <Answered answer={answer}>{(found) => <Found {...found} user={user} />}</Answered>
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

/** More silent edges are counted. */
const namedMax = 5

interface Connections {
  edges: readonly OrderedEdge[]
  rows: readonly FleetConnection[]
}

async function askConnections(action: OrderAction<'who'>, signal: AbortSignal): Promise<Connections> {
  const { edges } = await call('giveOrder', { body: { action }, signal })
  const rows = edges.flatMap(({ id, region, result }) =>
    (resultOf('who', result) ?? []).map((connection) => ({ edge: id, region, ...connection })),
  )
  return { edges, rows }
}

function Found({ edges, rows, user }: Connections & { user: string | undefined }) {
  const missing = edges.filter(({ status }) => status !== 'answered')
  const named = missing.slice(0, namedMax).map(({ id, reason }) => `${id} (${reason})`)
  return (
    <>
      {missing.length > 0 && (
        <div class="card-body">
          <Note tone="warn">
            No answer from {named.join(', ')}
            {missing.length > namedMax && ` and ${amountOf(missing.length - namedMax, 'more edge')}`}: their
            connections are missing here.
          </Note>
        </div>
      )}
      {rows.length === 0 ? (
        <Empty title={user === undefined ? 'No connections' : `${user} is not connected`}>
          {edges.length === 0
            ? 'There are no edges yet.'
            : `${amountOf(edges.length - missing.length, 'edge')} answered. Login names are case-sensitive.`}
        </Empty>
      ) : user === undefined ? (
        <UsersTable connections={matchingConnections(rows, search.value.get('q') ?? '')} all={rows.length} />
      ) : (
        <Table
          caption="Connections"
          columns={columns}
          rows={inUseFirst(rows)}
          keyOf={(row) =>
            `${row.edge} ${row.upstream} ${row.since} ${row.client} ${row.uses} ${row.state} ${row.session?.startedAt}`
          }
        />
      )}
    </>
  )
}

const inUseFirst = (rows: readonly FleetConnection[]) =>
  rows.toSorted(
    (one, other) =>
      Number(other.state === 'leased') - Number(one.state === 'leased') || other.since - one.since,
  )

function summaryOf({ rows }: Connections): string {
  const used = rows.filter(({ state }) => state === 'leased').length
  const edges = new Set(rows.map(({ edge }) => edge)).size
  const users = new Set(rows.map(({ user }) => user)).size
  const who = users > 1 ? `${amountOf(users, 'user')}, ` : ''
  return `${who}${amountOf(rows.length, 'connection')} over ${amountOf(edges, 'edge')}: ${countOf(used)} in use`
}

const tones = { leased: 'good', resetting: 'warn', idle: 'still' } as const
const ago = (ms: number) => durationOf(Date.now() - ms)

const columns: TableColumn<FleetConnection>[] = [
  {
    title: 'Edge',
    kind: 'head',
    cell: ({ edge }) => <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink>,
  },
  {
    title: 'State',
    kind: 'fixed',
    cell: ({ state }) => <Badge tone={tones[state]}>{connectionWords[state]}</Badge>,
  },
  {
    title: 'Client',
    kind: 'fixed',
    cell: ({ client }) => (client === undefined ? '' : <code>{client}</code>),
  },
  { title: 'Mail server', kind: 'fixed', cell: ({ upstream }) => upstream },
  {
    title: 'Session for',
    kind: 'number',
    cell: ({ session }) => (session ? ago(session.startedAt) : none),
  },
  { title: 'Last command', kind: 'fixed', cell: ({ session }) => <LastCommand session={session} /> },
  {
    title: 'From client',
    kind: 'number',
    cell: ({ session }) => formatValue(session?.clientBytes, 'bytes'),
  },
  {
    title: 'From server',
    kind: 'number',
    cell: ({ session }) => formatValue(session?.upstreamBytes, 'bytes'),
  },
  { title: 'Uses', kind: 'number', cell: ({ uses }) => countOf(uses) },
  { title: 'Last used', kind: 'number', cell: ({ since }) => `${ago(since)} ago` },
]

function LastCommand({ session }: Pick<FleetConnection, 'session'>) {
  if (session?.command === undefined) return <>{none}</>
  return session.command === 'OTHER' ? <span class="soft">another one</span> : <code>{session.command}</code>
}
