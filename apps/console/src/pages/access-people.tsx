/** People who signed in through the provider: their sessions, which an administrator can end. */
import type { TokenView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { validityOf } from '../fleet/validity.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'
import { ownerColumns } from './owner-columns.tsx'

export function PeopleCard() {
  const [ending, setEnding] = useState<string>()
  const pages = usePages<TokenView, string>('people', async (page, signal) => {
    const { tokens, next } = await call('listTokens', { query: { ...page, kind: 'person' }, signal })
    return { rows: tokens, next }
  })
  return (
    <Card
      title="People"
      about="Sign-ins through the provider during the last month, to this console and to the command line. Each ends after twelve hours."
    >
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(signIns) => (
          <>
            {signIns.length === 0 ? (
              <Empty title="No person has signed in">
                {' '}
                People sign in once control has a provider: set <code>OIDC_ISSUER</code>.
              </Empty>
            ) : (
              <Table caption="People" columns={columns(setEnding)} rows={signIns} keyOf={({ id }) => id} />
            )}
            <Older onClick={pages.older} />
          </>
        )}
      </Answered>
      {ending !== undefined && (
        <ConfirmDialog
          title={`End all sessions of ${ending}?`}
          name={ending}
          action="End sessions"
          isDangerous
          onConfirm={async () => {
            const { ended } = await call('endPerson', { params: { name: ending } })
            pages.reload()
            tell('good', `${ended} ${ended === 1 ? 'session' : 'sessions'} of ${ending} ended.`)
          }}
          onClose={() => setEnding(undefined)}
        >
          The person can sign in again, unless the provider refuses it.
        </ConfirmDialog>
      )}
    </Card>
  )
}

const columns = (end: (name: string) => void): TableColumn<TokenView>[] => [
  ...ownerColumns,
  {
    title: 'State',
    kind: 'fixed',
    cell: (signIn) => {
      const { isValid, words } = validityOf(signIn, new Date())
      return <Badge tone={isValid ? 'good' : 'still'}>{isValid ? 'signed in' : words}</Badge>
    },
  },
  { title: 'Since', kind: 'fixed', cell: ({ createdAt }) => <Moment at={createdAt} /> },
  {
    title: 'Until',
    kind: 'fixed',
    cell: ({ expiresAt }) => (expiresAt === null ? '' : <Moment at={expiresAt} />),
  },
  {
    title: 'Actions',
    kind: 'actions',
    cell: (signIn) =>
      validityOf(signIn, new Date()).isValid && (
        <button
          type="button"
          class="button small danger"
          aria-label={`End sessions of ${signIn.name}`}
          onClick={() => end(signIn.name)}
        >
          End sessions
        </button>
      ),
  },
]
