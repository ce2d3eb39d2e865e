/**
 * Postgres, as two clients: one for drizzle, which modifies the client that it gets, and a plain one for bulk SQL.
 * Both connect on first use and reconnect after every loss.
 */
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import type postgres from 'postgres'
import type { DatabaseAddress } from './address.ts'
import { openClient } from './client.ts'
import { toPrimary } from './primary.ts'
import * as schema from './schema.ts'

type Orm = PostgresJsDatabase<typeof schema>
/** What the queries of one table accept, inside or outside a transaction. */
export type Queries = Pick<Orm, 'select' | 'selectDistinctOn' | 'insert' | 'update' | 'delete' | 'execute'>

export interface Database {
  orm: Orm
  sql: postgres.Sql
  /** Connections that were closed so far. The next one may reach another database. */
  losses: () => number
  address: DatabaseAddress
  close: () => Promise<void>
}

/**
 * Timeouts with which Postgres ends the transaction of a replica that hangs, or whose host has vanished. Postgres closes
 * the connection of such a replica, so that it can no longer commit. The timer of hung-sessions.ts ends sessions that these
 * timeouts do not cover.
 */
const bounds = {
  /** Longest time between two statements of a transaction. */
  idle_in_transaction_session_timeout: 8_000,
  /** How long data can stay unacknowledged, or unread by a replica that is stopped. */
  tcp_user_timeout: 10_000,
  /** Seconds. */
  tcp_keepalives_idle: 10,
  tcp_keepalives_interval: 5,
  tcp_keepalives_count: 3,
}
/** The longest time for a statement. It is shorter than the timeout of a request. */
const statementTimeoutMs = 20_000
/** The longest wait for a lock. Then a request is answered with `database_busy`. */
const lockTimeoutMs = 4_000

/** How long statements in progress can take at a close. */
const closeTimeoutS = 1

const connection = (name: string, max: number): postgres.Options<Record<string, never>> => ({
  max,
  connect_timeout: 5,
  idle_timeout: 300,
  // A request waits at most this long before it gets `database_unavailable`.
  backoff: () => 0.5,
  onnotice: () => {},
  connection: {
    application_name: name,
    statement_timeout: statementTimeoutMs,
    lock_timeout: lockTimeoutMs,
    // To compile a statement takes longer than any of ours.
    jit: 'off',
    ...bounds,
  },
})

/** `name`: what Postgres shows as the name of the application. */
export function openDatabase(address: DatabaseAddress, name = 'imapfleet-control'): Database {
  const { url, ssl } = address
  const primary = toPrimary(address)
  let losses = 0
  const plain = openClient(url, { ...connection(name, 8), ...primary, ssl, onclose: () => void losses++ })
  const forDrizzle = openClient(url, { ...connection(name, 8), ...primary, ssl })
  return {
    orm: drizzle(forDrizzle, { schema }),
    sql: plain,
    losses: () => losses,
    address,
    close: async () => {
      await Promise.all([plain.end({ timeout: closeTimeoutS }), forDrizzle.end({ timeout: closeTimeoutS })])
    },
  }
}

/** Like `lockTimeoutMs`, for a replica that waits until another one has migrated. */
const migrationWaitMs = 10_000

/** A separate connection for migrations, whose statements may take long. It holds a session lock. */
export const openSingle = (address: DatabaseAddress) =>
  openClient(address.url, {
    ...connection('imapfleet-control', 1),
    ...toPrimary(address),
    ssl: address.ssl,
    connection: {
      application_name: 'imapfleet-control migration',
      lock_timeout: migrationWaitMs,
      ...bounds,
      // The lock is held outside of transactions too.
      idle_session_timeout: bounds.idle_in_transaction_session_timeout,
    },
  })

/**
 * Resolves if Postgres answers, has our tables, and accepts a write that needs space on its disk. Throws otherwise.
 * The write is rolled back; vacuum takes its space back.
 */
export async function tryWrite(db: Database): Promise<void> {
  const rollback = new Error('rolled back')
  try {
    await db.sql.begin(async (tx) => {
      await tx`select desired_version from fleet`
      await tx`set local lock_timeout = '2s'`
      await tx`insert into write_test (padding) values (repeat('x', ${writeTestBytes}))`
      throw rollback
    })
  } catch (error) {
    if (error !== rollback) throw error
  }
}

/** More than the free part of a page. */
const writeTestBytes = 65_536
