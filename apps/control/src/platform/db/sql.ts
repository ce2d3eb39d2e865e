/** Fragments of SQL that several tables use. */
import type postgres from 'postgres'

/** The plain client, or a transaction of it. */
export type Sql = postgres.ISql

export type Fragment = ReturnType<typeof instantSql>

/** Milliseconds since 1970, as Postgres accepts them. */
export const instantSql = (sql: Sql, at: number) => sql`to_timestamp(${at}::float8 / 1000)`

/** Milliseconds since 1970, as Postgres returns them. */
export const milliseconds = (sql: Sql, at: Fragment) => sql`round(extract(epoch from ${at}) * 1000)::float8`
