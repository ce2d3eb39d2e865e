/** The owner of a token and its rights: the first columns of tokens and of people. */
import { limitsText, type TokenView } from '@imapfleet/api'
import { PageLink } from '../router/link.tsx'
import type { TableColumn } from '../ui/table.tsx'

export const ownerColumns: readonly TableColumn<TokenView>[] = [
  {
    title: 'Name',
    kind: 'head',
    cell: ({ name }) => (
      <PageLink href={`/audit?actor=${encodeURIComponent(name)}`} title={`What ${name} did`}>
        {name}
      </PageLink>
    ),
  },
  {
    title: 'Role',
    cell: ({ role, scopes, limits }) => [role, ...scopes, limitsText(limits)].filter(Boolean).join(', '),
  },
]
