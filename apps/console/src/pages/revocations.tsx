/** Revocations, and their progress on the edges. */
import type { RevocationRecord } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { usePages } from '../api/use-pages.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty, EmptyCommand } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { Revoke } from './revoke.tsx'

export function Revocations() {
  const [isRevoking, setRevoking] = useState(false)
  const pages = usePages('revocations', async (page, signal) => {
    const { revocations, next } = await call('listRevocations', { query: page, signal })
    return { rows: revocations, next }
  })
  return (
    <Card
      title="Revocations"
      about="The mail server is asked again at the next login of these users, on every edge: connections from before are not reused. A silent edge follows when it returns."
      actions={
        <button type="button" class="button danger" onClick={() => setRevoking(true)}>
          Revoke …
        </button>
      }
    >
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(revocations) =>
          revocations.length === 0 ? (
            <Empty title="No revocations yet">
              {' '}
              Revoke a user after a password change or if a mailbox was compromised, here or with{' '}
              <EmptyCommand text="imapfleet revoke user alice@example.org" after=":" /> older server
              connections are then not reused.
            </Empty>
          ) : (
            <>
              <Table
                caption="Revocations"
                columns={columns}
                rows={revocations}
                keyOf={({ sequence }) => sequence}
              />
              <Older onClick={pages.older} />
            </>
          )
        }
      </Answered>
      {isRevoking && <Revoke onDone={pages.reload} onClose={() => setRevoking(false)} />}
    </Card>
  )
}

const columns: TableColumn<RevocationRecord>[] = [
  { title: 'When', kind: 'fixed', cell: ({ at }) => <Moment at={at} /> },
  {
    title: 'User or domain',
    cell: ({ kind, subject }) => (
      <>
        <span class="soft">{kind}</span> {subject}
      </>
    ),
  },
  { title: 'By', kind: 'fixed', cell: ({ createdBy }) => createdBy },
  { title: 'Note', kind: 'wide', cell: ({ note }) => note },
  { title: 'Reached', kind: 'fixed', cell: ({ sequence }) => <Reach sequence={sequence} /> },
]

const tones = { applied: 'good', pending: 'warn', silent: 'bad' } as const

/** Requested only on demand, because it is one request for each row. */
function Reach({ sequence }: { sequence: number }) {
  const [isAsked, setAsked] = useState(false)
  return isAsked ? (
    <ReachOf sequence={sequence} />
  ) : (
    <button type="button" class="button quiet small" onClick={() => setAsked(true)}>
      Show
    </button>
  )
}

function ReachOf({ sequence }: { sequence: number }) {
  const answer = useAnswer(
    `revocation ${sequence}`,
    (signal) => call('readRevocation', { params: { sequence }, signal }),
    {
      everyMs: 3_000,
    },
  )
  return (
    <Answered answer={answer}>
      {({ edges }) =>
        edges.length === 0 ? (
          'no edge yet'
        ) : (
          <span class="row">
            {(['applied', 'pending', 'silent'] as const).map((status) => {
              const ids = edges.filter((edge) => edge.status === status).map(({ id }) => id)
              return ids.length === 0 ? null : (
                <Badge key={status} tone={tones[status]}>
                  {ids.length > 3 ? `${ids.length} edges` : ids.join(', ')} {status}
                </Badge>
              )
            })}
          </span>
        )
      }
    </Answered>
  )
}
