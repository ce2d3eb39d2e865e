/** Logins of the command line, by the hashes of their codes. */
import { and, count, eq, gt, isNotNull, isNull, lte } from 'drizzle-orm'
import type { Queries } from '../../platform/db/database.ts'
import { cliLogins } from './table.ts'

export type CliLoginRow = typeof cliLogins.$inferSelect

/** False: another login has the user code. */
export async function insertLogin(queries: Queries, login: typeof cliLogins.$inferInsert): Promise<boolean> {
  const rows = await queries
    .insert(cliLogins)
    .values(login)
    .onConflictDoNothing()
    .returning({ hash: cliLogins.hash })
  return rows.length > 0
}

/** Of devices. */
export async function countLogins(queries: Queries, now: Date, source?: string): Promise<number> {
  const [row] = await queries
    .select({ logins: count() })
    .from(cliLogins)
    .where(
      and(
        isNotNull(cliLogins.userCode),
        gt(cliLogins.expiresAt, now),
        source === undefined ? undefined : eq(cliLogins.source, source),
      ),
    )
  return row?.logins ?? 0
}

export async function findLogin(queries: Queries, hash: string, now: Date): Promise<CliLoginRow | undefined> {
  const [row] = await queries
    .select()
    .from(cliLogins)
    .where(and(eq(cliLogins.hash, hash), gt(cliLogins.expiresAt, now)))
  return row
}

/** The login, unless another request took it. */
export async function takeLogin(queries: Queries, hash: string, now: Date): Promise<CliLoginRow | undefined> {
  const [row] = await queries
    .delete(cliLogins)
    .where(and(eq(cliLogins.hash, hash), gt(cliLogins.expiresAt, now)))
    .returning()
  return row
}

/** False: no login waits with this code. */
export async function agreeToLogin(
  queries: Queries,
  userCode: string,
  token: string,
  now: Date,
): Promise<boolean> {
  const waits = and(eq(cliLogins.userCode, userCode), isNull(cliLogins.token), gt(cliLogins.expiresAt, now))
  const rows = await queries.update(cliLogins).set({ token }).where(waits).returning({ hash: cliLogins.hash })
  return rows.length > 0
}

export async function deleteOldLogins(queries: Queries, now: Date): Promise<void> {
  await queries.delete(cliLogins).where(lte(cliLogins.expiresAt, now))
}
