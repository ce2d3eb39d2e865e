/**
 * A card of tokens or credentials: a list of valid ones or of all, and two actions: make one, whose secret is shown once,
 * and revoke one.
 */
import type { ComponentChildren } from 'preact'
import { useState } from 'preact/hooks'
import { usePages, type LoadPage } from '../api/use-pages.ts'
import { validityOf } from '../fleet/validity.ts'
import { choose, search } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Choice } from '../ui/choice.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'
import { NewSecret } from './new-secret.tsx'

interface SecretRow {
  createdAt: string
  createdBy: string
  expiresAt: string | null
  revokedAt: string | null
}

interface SecretsCardProps<Row extends SecretRow, Made extends Row, Cursor extends number | string> {
  title: string
  about: string
  /** The parameter of the address that selects valid ones or all. */
  name: string
  load: LoadPage<Row, Cursor>
  keyOf: (row: Row) => string
  /** Before and after the columns of the validity. */
  columns: { first: readonly TableColumn<Row>[]; last: readonly TableColumn<Row>[] }
  /** Beside the state, if a row that is not valid still needs attention. */
  pending?: (row: Row) => string | undefined
  /** If nothing is shown. */
  empty: ComponentChildren
  make: { action: string; dialog: (onMade: (made: Made) => void, onClose: () => void) => ComponentChildren }
  /** Shown once. */
  secretOf: (made: Made) => { title: string; about: string; secret: string; file: string }
  revoke: { nameOf: (row: Row) => string; what: string; call: (row: Row) => Promise<unknown>; effect: string }
}

const selections = ['valid', 'all'] as const

export function SecretsCard<Row extends SecretRow, Made extends Row, Cursor extends number | string>({
  title,
  about,
  name,
  load,
  keyOf,
  columns: { first, last },
  pending = () => undefined,
  empty,
  make,
  secretOf,
  revoke,
}: SecretsCardProps<Row, Made, Cursor>) {
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<Made>()
  const [revoking, setRevoking] = useState<Row>()
  const selection = search.value.get(name) === 'all' ? 'all' : 'valid'
  const pages = usePages<Row, Cursor>(name, load)
  const now = new Date()
  const isShown = (row: Row) =>
    selection === 'all' || validityOf(row, now).isValid || pending(row) !== undefined
  const words = (row: Row) => `${revoke.what} of ${revoke.nameOf(row)}`
  const columns: TableColumn<Row>[] = [
    ...first,
    {
      title: 'State',
      kind: 'fixed',
      cell: (row) => {
        const validity = validityOf(row, now)
        const note = pending(row)
        return (
          <span class="row">
            <Badge tone={validity.tone}>{validity.words}</Badge>
            {note !== undefined && <Badge tone="bad">{note}</Badge>}
          </span>
        )
      },
    },
    {
      title: 'Expires',
      kind: 'fixed',
      cell: ({ expiresAt }) => (expiresAt === null ? 'never' : <Moment at={expiresAt} />),
    },
    ...last,
    {
      title: 'Made',
      kind: 'fixed',
      cell: ({ createdAt, createdBy }) => (
        <>
          <Moment at={createdAt} /> by {createdBy}
        </>
      ),
    },
    {
      title: 'Actions',
      kind: 'actions',
      cell: (row) =>
        row.revokedAt === null && (
          <button
            type="button"
            class="button small danger"
            aria-label={`Revoke the ${words(row)}`}
            onClick={() => setRevoking(row)}
          >
            Revoke
          </button>
        ),
    },
  ]
  return (
    <Card
      title={title}
      about={about}
      actions={
        <>
          <Choice
            label={`${title} to show`}
            values={selections}
            chosen={selection}
            onChoice={(next) => choose({ [name]: next === 'all' ? 'all' : '' })}
          />
          <button type="button" class="button" onClick={() => setMaking(true)}>
            {make.action}
          </button>
        </>
      }
    >
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(all) => {
          const rows = all.filter(isShown)
          return (
            <>
              {rows.length === 0 ? (
                empty
              ) : (
                <Table caption={title} columns={columns} rows={rows} keyOf={keyOf} />
              )}
              <Older onClick={pages.older} />
            </>
          )
        }}
      </Answered>
      {isMaking &&
        make.dialog(
          (one) => {
            setMade(one)
            pages.reload()
          },
          () => setMaking(false),
        )}
      {made && <NewSecret {...secretOf(made)} onClose={() => setMade(undefined)} />}
      {revoking && (
        <ConfirmDialog
          title={`Revoke the ${words(revoking)}?`}
          name={revoke.nameOf(revoking)}
          action="Revoke"
          isDangerous
          onConfirm={async () => {
            await revoke.call(revoking)
            pages.reload()
            tell('good', `The ${words(revoking)} is revoked.`)
          }}
          onClose={() => setRevoking(undefined)}
        >
          {revoke.effect}
        </ConfirmDialog>
      )}
    </Card>
  )
}
