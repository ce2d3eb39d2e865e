/** Tokens and sessions by their hashes, and refused tokens by source address. */
import { and, desc, eq, gt, inArray, isNotNull, isNull, lt, or, sql } from 'drizzle-orm'
import type { TokenOwner } from '@imapfleet/api'
import type { Queries } from '../../platform/db/database.ts'
import { loginFailures, sessions, tokens } from './table.ts'

export type TokenRow = typeof tokens.$inferSelect
export type SessionRow = typeof sessions.$inferSelect

export async function insertToken(queries: Queries, token: typeof tokens.$inferInsert): Promise<TokenRow> {
  const [row] = await queries.insert(tokens).values(token).returning()
  if (!row) throw new Error('the token was not written')
  return row
}

const olderThan = (id: string) =>
  sql`(${tokens.createdAt}, ${tokens.id}) < (select created_at, id from tokens where id = ${id})`

/** Of one kind, newest first, including revoked and expired ones. `before` is the id of the last token of the previous page. */
export async function selectTokens(
  queries: Queries,
  page: { limit: number; before?: string | undefined },
  kind: TokenOwner,
): Promise<TokenRow[]> {
  const isOfKind = kind === 'person' ? isNotNull(tokens.person) : isNull(tokens.person)
  return await queries
    .select()
    .from(tokens)
    .where(and(isOfKind, page.before === undefined ? undefined : olderThan(page.before)))
    .orderBy(desc(tokens.createdAt), desc(tokens.id))
    .limit(page.limit)
}

/** Tokens of machines that expire, or have expired, after this time. */
export async function selectExpiring(
  queries: Queries,
  after: Date,
): Promise<{ name: string; expiresAt: Date }[]> {
  const rows = await queries
    .select({ name: tokens.name, expiresAt: tokens.expiresAt })
    .from(tokens)
    .where(and(isNull(tokens.person), isNull(tokens.revokedAt), gt(tokens.expiresAt, after)))
  return rows.flatMap(({ name, expiresAt }) => (expiresAt ? [{ name, expiresAt }] : []))
}

export async function findToken(queries: Queries, id: string): Promise<TokenRow | undefined> {
  const [row] = await queries.select().from(tokens).where(eq(tokens.id, id))
  return row
}

export async function findTokenByHash(queries: Queries, hash: string): Promise<TokenRow | undefined> {
  const [row] = await queries.select().from(tokens).where(eq(tokens.hash, hash))
  return row
}

/** The row, if it was not revoked before. */
export async function markTokenRevoked(
  queries: Queries,
  id: string,
  at: Date,
): Promise<TokenRow | undefined> {
  const valid = and(eq(tokens.id, id), isNull(tokens.revokedAt))
  const [row] = await queries.update(tokens).set({ revokedAt: at }).where(valid).returning()
  return row
}

/** Lets a token expire at this time, unless it has already ended. */
export async function expireToken(queries: Queries, id: string, at: Date): Promise<void> {
  await queries
    .update(tokens)
    .set({ expiresAt: at })
    .where(
      and(
        eq(tokens.id, id),
        isNull(tokens.revokedAt),
        or(isNull(tokens.expiresAt), gt(tokens.expiresAt, at)),
      ),
    )
}

/** The valid tokens of a person, by the key, or by the name that the person had when signing in. */
export async function selectTokensOfPerson(
  queries: Queries,
  who: { key: string } | { name: string },
  now: Date,
): Promise<TokenRow[]> {
  const isTheirs =
    'key' in who ? eq(tokens.person, who.key) : and(isNotNull(tokens.person), eq(tokens.name, who.name))
  return await queries
    .select()
    .from(tokens)
    .where(and(isTheirs, isNull(tokens.revokedAt), gt(tokens.expiresAt, now)))
}

export async function revokeTokens(queries: Queries, ids: string[], at: Date): Promise<void> {
  await queries
    .update(tokens)
    .set({ revokedAt: at })
    .where(and(inArray(tokens.id, ids), isNull(tokens.revokedAt)))
}

/** Of people: they get a new one each time that they sign in. */
export async function deleteOldTokensOfPeople(queries: Queries, before: Date): Promise<void> {
  await queries.delete(tokens).where(and(isNotNull(tokens.person), lt(tokens.expiresAt, before)))
}

const addressesMax = 5

/** Notes that tokens were used at this time, each from these addresses. A later time that is stored already stays. */
export async function touchTokens(
  queries: Queries,
  used: ReadonlyMap<string, Iterable<string>>,
  at: Date,
): Promise<void> {
  const now = at.toISOString()
  const rows = [...used].map(([id, from]) => ({
    id,
    from: Object.fromEntries([...from].map((address) => [address, now])),
  }))
  await queries.execute(sql`
    update tokens set
      last_used_at = greatest(last_used_at, ${now}::timestamptz),
      used_from = (
        select jsonb_object_agg(address, at) from (
          select address, max(at) as at from (
            select * from jsonb_each_text(coalesce(tokens.used_from, '{}'))
            union all
            select * from jsonb_each_text(used."from")
          ) as each (address, at)
          group by address order by 2 desc, 1 limit ${addressesMax}
        ) as newest)
    from jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) as used (id uuid, "from" jsonb)
    where tokens.id = used.id`)
}

/** The tokens with these ids, each with its sessions among the given ones. One query. */
export async function selectRights(
  queries: Queries,
  ids: string[],
  hashes: string[],
): Promise<{ token: TokenRow; session: SessionRow | null }[]> {
  return await queries
    .select({ token: tokens, session: sessions })
    .from(tokens)
    .leftJoin(sessions, and(eq(sessions.token, tokens.id), inArray(sessions.hash, hashes)))
    .where(inArray(tokens.id, ids))
}

export async function insertSession(queries: Queries, session: typeof sessions.$inferInsert): Promise<void> {
  await queries.insert(sessions).values(session)
}

export async function findSession(
  queries: Queries,
  hash: string,
): Promise<{ token: TokenRow; session: SessionRow } | undefined> {
  const [row] = await queries
    .select({ token: tokens, session: sessions })
    .from(sessions)
    .innerJoin(tokens, eq(tokens.id, sessions.token))
    .where(eq(sessions.hash, hash))
  return row
}

export async function deleteSession(queries: Queries, hash: string): Promise<void> {
  await queries.delete(sessions).where(eq(sessions.hash, hash))
}

export async function deleteOldSessions(queries: Queries, before: Date): Promise<void> {
  await queries.delete(sessions).where(lt(sessions.expiresAt, before))
}

/** Failures are counted in a window that starts with the first. */
const window = sql`interval '1 minute'`

export async function countFailures(queries: Queries, source: string): Promise<number> {
  const [row] = await queries
    .select({ failures: loginFailures.failures })
    .from(loginFailures)
    .where(and(eq(loginFailures.source, source), gt(loginFailures.since, sql`now() - ${window}`)))
  return row?.failures ?? 0
}

/** The present count. */
export async function noteFailure(queries: Queries, source: string): Promise<number> {
  const isOver = sql`${loginFailures.since} <= now() - ${window}`
  const [row] = await queries
    .insert(loginFailures)
    .values({ source, failures: 1, since: sql`now()` })
    .onConflictDoUpdate({
      target: loginFailures.source,
      set: {
        failures: sql`case when ${isOver} then 1 else ${loginFailures.failures} + 1 end`,
        since: sql`case when ${isOver} then now() else ${loginFailures.since} end`,
      },
    })
    .returning({ failures: loginFailures.failures })
  return row?.failures ?? 0
}

export async function deleteOldFailures(queries: Queries): Promise<void> {
  await queries.delete(loginFailures).where(lt(loginFailures.since, sql`now() - ${window}`))
}
