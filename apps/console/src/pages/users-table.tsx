/** All users with connections, those with most sessions first: sorted and filtered. The selection is in the address. */
import {
  firstUserSort,
  sortedUsers,
  userRowsOf,
  userSortKeys,
  type FleetConnection,
  type UserRow,
  type UserSort,
  type UserSortKey,
} from '../fleet/user-rows.ts'
import { amountOf, countOf, none } from '../format/number.ts'
import { durationOf } from '../format/time.ts'
import { formatValue } from '../format/value.ts'
import { PageLink } from '../router/link.tsx'
import { choose, search } from '../router/location.ts'
import { LongTable, type LongColumn } from '../ui/long-table.tsx'
import { SearchField } from '../ui/search-field.tsx'
import { Select } from '../ui/select.tsx'
import { Empty } from '../ui/state.tsx'

/** `connections`: the connections that the filter of the address selects, out of `all`. */
export function UsersTable({ connections, all }: { connections: readonly FleetConnection[]; all: number }) {
  const sort = sortIn(search.value)
  const rows = sortedUsers(userRowsOf(connections), sort)
  return (
    <div class="users-table">
      <div class="card-body filters">
        <SearchField
          label="Search"
          value={search.value.get('q') ?? ''}
          placeholder="User, edge, client address …"
          onValue={(q) => choose({ q })}
        />
        <div class="sort-by">
          <Select
            label="Sort by"
            chosen={sort.key}
            options={columns.map(({ key, title }) => [key, title])}
            onChoice={(key) => sortBy(firstUserSort(userSortKeys.find((each) => each === key) ?? 'sessions'))}
          />
        </div>
        <p class="soft small shown" role="status">
          {amountOf(rows.length, 'user')}
          {connections.length < all && ` with ${countOf(connections.length)} of ${countOf(all)} connections`}
        </p>
      </div>
      {rows.length === 0 ? (
        <Empty title="No connection matches">
          <button type="button" class="button" onClick={() => choose({ q: '' })}>
            Show all users
          </button>
        </Empty>
      ) : (
        <LongTable
          caption="Users"
          columns={columns}
          rows={rows}
          keyOf={({ user }) => user}
          sort={sort}
          onSort={(key) =>
            sortBy(key === sort.key ? { key, isDescending: !sort.isDescending } : firstUserSort(key))
          }
        />
      )}
    </div>
  )
}

const usual = firstUserSort('sessions')

const sortBy = ({ key, isDescending }: UserSort) =>
  choose({ sort: key === usual.key && isDescending ? '' : `${isDescending ? '-' : ''}${key}` })

function sortIn(address: URLSearchParams): UserSort {
  const text = address.get('sort') ?? ''
  const key = userSortKeys.find((each) => each === text.replace(/^-/, ''))
  return key === undefined ? usual : { key, isDescending: text.startsWith('-') }
}

const ago = (ms: number | null) => (ms === null ? none : durationOf(Date.now() - ms))

const columns: readonly LongColumn<UserRow, UserSortKey>[] = [
  {
    key: 'user',
    title: 'User',
    class: 'col-name',
    cell: ({ user }) => (
      <PageLink href={`/users?user=${encodeURIComponent(user)}`} title={user}>
        {user}
      </PageLink>
    ),
  },
  {
    key: 'sessions',
    title: 'In use',
    help: 'Connections in use: sessions',
    class: 'number',
    cell: ({ sessions }) => countOf(sessions),
  },
  {
    key: 'idle',
    title: 'Idle',
    help: 'Idle server connections, and those that are being reset',
    class: 'number',
    cell: ({ idle }) => countOf(idle),
  },
  { key: 'edges', title: 'Edges', class: 'number', cell: ({ edges }) => countOf(edges) },
  {
    key: 'age',
    title: 'Oldest session',
    class: 'number col-age',
    cell: ({ oldestAt }) => ago(oldestAt),
  },
  {
    key: 'bytes',
    title: 'Bytes',
    help: 'Bytes of current sessions, in both directions',
    class: 'number col-bytes',
    cell: ({ bytes }) => formatValue(bytes, 'bytes'),
  },
  {
    key: 'used',
    title: 'Last used',
    class: 'number col-used',
    cell: ({ lastUsedAt }) => `${ago(lastUsedAt)} ago`,
  },
]
