/** Users with the connections of all edges: filtered and sorted rows of a table. */
import type { Connection } from '@imapfleet/protocol'

/** A server connection with its edge. */
export interface FleetConnection extends Connection {
  edge: string
  region: string
}

export interface UserRow {
  user: string
  /** Connections in use. */
  sessions: number
  /** Idle connections, and connections that are being reset. */
  idle: number
  edges: number
  /** When its oldest session began, in milliseconds since 1970. Null: none, or its edge does not say. */
  oldestAt: number | null
  /** Of its current sessions, in both directions. Null: no edge reports it. */
  bytes: number | null
  lastUsedAt: number
}

export function userRowsOf(connections: readonly FleetConnection[]): UserRow[] {
  return [...Map.groupBy(connections, ({ user }) => user)].map(([user, all]) => {
    const sessions = all.flatMap(({ session }) => session ?? [])
    const used = all.filter(({ state }) => state === 'leased').length
    return {
      user,
      sessions: used,
      idle: all.length - used,
      edges: new Set(all.map(({ edge }) => edge)).size,
      oldestAt: sessions.length === 0 ? null : Math.min(...sessions.map(({ startedAt }) => startedAt)),
      bytes:
        sessions.length === 0
          ? null
          : sessions.reduce((sum, { clientBytes, upstreamBytes }) => sum + clientBytes + upstreamBytes, 0),
      lastUsedAt: Math.max(...all.map(({ since }) => since)),
    }
  })
}

/** Connections whose user, edge, region, server or client contain all words. */
export function matchingConnections(
  connections: readonly FleetConnection[],
  text: string,
): readonly FleetConnection[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  if (words.length === 0) return connections
  return connections.filter(({ user, edge, region, upstream, client, session, state }) => {
    const said = [user, edge, region, upstream, client ?? '', session?.command ?? '', connectionWords[state]]
    const searched = said.join(' ').toLowerCase()
    return words.every((word) => searched.includes(word))
  })
}

export const connectionWords = { leased: 'in use', resetting: 'resetting', idle: 'idle' } as const

export const userSortKeys = ['user', 'sessions', 'idle', 'edges', 'age', 'bytes', 'used'] as const
export type UserSortKey = (typeof userSortKeys)[number]

export interface UserSort {
  key: UserSortKey
  isDescending: boolean
}

/** Names from the start of the alphabet, figures from the highest, the oldest session first. */
export const firstUserSort = (key: UserSortKey): UserSort => ({ key, isDescending: key !== 'user' })

/** Users without a value come last in both directions. Equal ones: more sessions first, then more connections. */
export function sortedUsers(rows: readonly UserRow[], { key, isDescending }: UserSort): UserRow[] {
  const sign = isDescending ? -1 : 1
  return rows.toSorted((one, other) => {
    const [a, b] = [valueOf(one, key), valueOf(other, key)]
    if (a === null || b === null) return a === b ? byLoad(one, other) : a === null ? 1 : -1
    const order = typeof a === 'number' && typeof b === 'number' ? a - b : compare(String(a), String(b))
    return sign * order || byLoad(one, other)
  })
}

const compare = (one: string, other: string): number => (one < other ? -1 : one > other ? 1 : 0)
const byLoad = (one: UserRow, other: UserRow): number =>
  other.sessions - one.sessions || other.idle - one.idle || compare(one.user, other.user)

function valueOf(row: UserRow, key: UserSortKey): string | number | null {
  switch (key) {
    case 'age':
      return row.oldestAt === null ? null : -row.oldestAt
    case 'used':
      return row.lastUsedAt
    default:
      return row[key]
  }
}
