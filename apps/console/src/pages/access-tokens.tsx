/** Tokens: made, shown once, revoked. */
import type { TokenMade, TokenRequest, TokenView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { opensPage } from '../layout/page-entries.ts'
import { ConfirmDialog } from '../ui/confirm-dialog.tsx'
import { Field } from '../ui/field.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { Select } from '../ui/select.tsx'
import { Empty, EmptyCommand } from '../ui/state.tsx'
import type { TableColumn } from '../ui/table.tsx'
import { expiries, expirySeconds } from './expiry.ts'
import { ownerColumns } from './owner-columns.tsx'
import { SecretsCard } from './secrets-card.tsx'

export const TokensCard = () => (
  <SecretsCard<TokenView, TokenMade, string>
    title="Tokens"
    about="A token identifies one program or person. It is shown only when it is made."
    name="tokens"
    load={async (page, signal) => {
      const { tokens, next } = await call('listTokens', { query: page, signal })
      return { rows: tokens, next }
    }}
    keyOf={({ id }) => id}
    columns={{ first: ownerColumns, last: [lastUse] }}
    empty={
      <Empty title="No valid token here">
        {' '}
        Make one above, or with <EmptyCommand text="imapfleet tokens create NAME --role viewer" after="." />
      </Empty>
    }
    make={{
      action: 'New token',
      dialog: (onMade, onClose) => <NewToken onMade={onMade} onClose={onClose} />,
    }}
    secretOf={({ name, token }) => ({
      title: `The token of ${name}`,
      about: 'Keep it now: it is not shown again.',
      secret: token,
      file: `${name}.token`,
    })}
    revoke={{
      nameOf: ({ name }) => name,
      what: 'token',
      call: ({ id }) => call('revokeToken', { params: { id } }),
      effect:
        'The next request with this token is refused, and its console sessions end. This cannot be undone. ' +
        'Tokens that were made with it stay valid: the audit log lists them.',
    }}
  />
)

const lastUse: TableColumn<TokenView> = {
  title: 'Last used',
  cell: ({ lastUsedAt, usedFrom }) =>
    lastUsedAt === null ? (
      'never'
    ) : (
      <>
        <Moment at={lastUsedAt} />
        {usedFrom.length > 0 && ` from ${usedFrom.map(({ address }) => address).join(', ')}`}
      </>
    ),
}

const roles = [
  ['viewer', 'viewer: sees everything'],
  ['operator', 'operator: also changes the fleet'],
  ['admin', 'admin: also manages access'],
] as const

function NewToken({ onMade, onClose }: { onMade: (token: TokenMade) => void; onClose: () => void }) {
  const [name, setName] = useState('')
  const [role, setRole] = useState<string>('viewer')
  const [expiry, setExpiry] = useState('2592000')
  const [regions, setRegions] = useState('')
  const [domains, setDomains] = useState('')
  const [hasBodies, setBodies] = useState(false)
  const words = (text: string) => text.split(/[\s,]+/).filter((word) => word !== '')
  const chosen = roles.find(([each]) => each === role)?.[0] ?? 'viewer'
  const limits = {
    ...(words(regions).length > 0 && { regions: words(regions) }),
    ...(words(domains).length > 0 && { domains: words(domains) }),
  }
  return (
    <ConfirmDialog
      title="New token"
      action="Make"
      isComplete={name.trim() !== ''}
      onConfirm={async () => {
        const body: TokenRequest = {
          name: name.trim(),
          role: chosen,
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
        <div role="status">
          {!opensPage({ role: chosen, limits }) && (
            <Note tone="warn">
              This token can open no page of the console: a {chosen} needs rights without these limits.
            </Note>
          )}
        </div>
      </div>
    </ConfirmDialog>
  )
}
