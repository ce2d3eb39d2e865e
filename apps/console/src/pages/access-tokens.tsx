/** Tokens: made, shown once, revoked. */
import type { TokenMade, TokenRequest, TokenView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { usePages } from '../api/use-pages.ts'
import { validityOf } from '../fleet/validity.ts'
import { search, choose } from '../router/location.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Choice } from '../ui/choice.tsx'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Older } from '../ui/older.tsx'
import { Select } from '../ui/select.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'
import { expiries, expirySeconds } from './expiry.ts'
import { NewSecret } from './new-secret.tsx'
import { ownerColumns } from './owner-columns.tsx'

const selections = ['valid', 'all'] as const

export function TokensCard() {
  const [isMaking, setMaking] = useState(false)
  const [made, setMade] = useState<TokenMade>()
  const [revoking, setRevoking] = useState<TokenView>()
  const selection = search.value.get('tokens') === 'all' ? 'all' : 'valid'
  const pages = usePages<TokenView, string>('tokens', async (page, signal) => {
    const { tokens, next } = await call('listTokens', { query: page, signal })
    return { rows: tokens, next }
  })
  const now = new Date()
  return (
    <Card
      title="Tokens"
      about="A token stands for one person or program. It is shown only when it is made."
      actions={
        <>
          <Choice
            label="Tokens to show"
            values={selections}
            chosen={selection}
            onChoice={(next) => choose({ tokens: next === 'all' ? 'all' : '' })}
          />
          <button type="button" class="button primary" onClick={() => setMaking(true)}>
            New token
          </button>
        </>
      }
    >
      <Answered answer={{ data: pages.rows, problem: pages.problem, reload: pages.reload }}>
        {(all) => {
          const tokens = all.filter((token) => selection === 'all' || validityOf(token, now).isValid)
          return (
            <>
              {tokens.length === 0 ? (
                <Empty title="No valid token here">
                  {' '}
                  Make one above, or with <code>imapfleet tokens create NAME --role viewer</code>.
                </Empty>
              ) : (
                <Table caption="Tokens" columns={columns(setRevoking)} rows={tokens} keyOf={({ id }) => id} />
              )}
              <Older onClick={pages.older} />
            </>
          )
        }}
      </Answered>
      {isMaking && (
        <NewToken
          onMade={(token) => {
            setMade(token)
            pages.reload()
          }}
          onClose={() => setMaking(false)}
        />
      )}
      {made && (
        <NewSecret
          title={`The token of ${made.name}`}
          about="Keep it now: it is not shown again."
          secret={made.token}
          file={`${made.name}.token`}
          onClose={() => setMade(undefined)}
        />
      )}
      {revoking && (
        <ConfirmDialog
          title={`Revoke the token of ${revoking.name}?`}
          name={revoking.name}
          action="Revoke"
          isDangerous
          onConfirm={async () => {
            await call('revokeToken', { params: { id: revoking.id } })
            pages.reload()
            tell('good', `The token of ${revoking.name} is revoked.`)
          }}
          onClose={() => setRevoking(undefined)}
        >
          The next request with it is refused, and sessions of this console that it opened end. This cannot be
          undone.
        </ConfirmDialog>
      )}
    </Card>
  )
}

const columns = (revoke: (token: TokenView) => void): TableColumn<TokenView>[] => [
  ...ownerColumns,
  {
    title: 'State',
    kind: 'fixed',
    cell: (token) => {
      const { tone, words } = validityOf(token, new Date())
      return <Badge tone={tone}>{words}</Badge>
    },
  },
  {
    title: 'Expires',
    kind: 'fixed',
    cell: ({ expiresAt }) => (expiresAt === null ? 'never' : <Moment at={expiresAt} />),
  },
  {
    title: 'Last used',
    kind: 'fixed',
    cell: ({ lastUsedAt }) => (lastUsedAt === null ? 'never' : <Moment at={lastUsedAt} />),
  },
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
    kind: 'fixed',
    cell: (token) =>
      token.revokedAt === null && (
        <button
          type="button"
          class="button small danger"
          aria-label={`Revoke the token of ${token.name}`}
          onClick={() => revoke(token)}
        >
          Revoke
        </button>
      ),
  },
]

const roles = [
  ['viewer', 'viewer: sees everything'],
  ['operator', 'operator: also changes the fleet'],
  ['admin', 'admin: also gives access'],
] as const

function NewToken({ onMade, onClose }: { onMade: (token: TokenMade) => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<string>('viewer')
  const [expiry, setExpiry] = useState('2592000')
  const [regions, setRegions] = useState('')
  const [domains, setDomains] = useState('')
  const [hasBodies, setBodies] = useState(false)
  const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '')
  return (
    <ConfirmDialog
      title="New token"
      action="Make"
      isComplete={name.trim() !== ''}
      onConfirm={async () => {
        const limits = {
          ...(words(regions).length > 0 && { regions: words(regions) }),
          ...(words(domains).length > 0 && { domains: words(domains) }),
        }
        const body: TokenRequest = {
          name: name.trim(),
          role: roles.find(([each]) => each === role)?.[0] ?? 'viewer',
          scopes: hasBodies ? ['trace-bodies'] : [],
          limits,
          expiresInSeconds: expirySeconds(expiry),
        }
        onMade(await call('createToken', { body }))
      }}
      onClose={onClose}
    >
      <div class="access-form">
        <Field
          label="Name"
          value={name}
          onValue={setName}
          placeholder="ann"
          autocomplete="off"
          autofocus
          hint="Of the person or the program, for the audit log."
        />
        <Select label="Role" options={roles} chosen={role} onChoice={setRole} />
        <Select label="Valid for" options={expiries} chosen={expiry} onChoice={setExpiry} />
        <Field
          label="Only regions"
          value={regions}
          onValue={setRegions}
          placeholder="eu us"
          autocomplete="off"
          hint="Names separated by spaces. Empty: all."
        />
        <Field
          label="Only users of domains"
          value={domains}
          onValue={setDomains}
          placeholder="example.org"
          autocomplete="off"
          hint="Separated by spaces. Empty: all."
        />
        <label>
          <input
            type="checkbox"
            checked={hasBodies}
            onChange={(event) => setBodies(event.currentTarget.checked)}
          />{' '}
          May include message bodies in traces
        </label>
      </div>
    </ConfirmDialog>
  )
}
