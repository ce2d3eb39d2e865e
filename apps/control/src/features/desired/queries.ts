/** The version of the desired state, and the versions that this database has issued. */
import { lt, max, sql as expression } from 'drizzle-orm'
import type { LayerVersions } from '@imapfleet/protocol'
import type { Queries } from '../../platform/db/database.ts'
import type { Sql } from '../../platform/db/sql.ts'
import { revisions } from '../config/table.ts'
import { edges } from '../edges/table.ts'
import { desiredVersions, fleet } from './table.ts'

export type FleetRow = typeof fleet.$inferSelect

export async function readFleet(queries: Queries): Promise<FleetRow> {
  const [row] = await queries.select().from(fleet)
  if (!row) throw new Error('the table fleet is empty')
  return row
}

/** The clock of Postgres in microseconds since 1970. */
const clock = expression`(extract(epoch from clock_timestamp()) * 1000000)::bigint`

/** A second. */
const stepUs = 1_000_000

/**
 * Issues versions above all that this database has issued, and above `above`. Returns the first of them. Locks the row of
 * the fleet until the commit.
 */
export async function issueVersions(
  queries: Queries,
  { above = 0, amount = 1 }: { above?: number; amount?: number } = {},
): Promise<number> {
  const last = expression`greatest(${fleet.desiredVersion}, ${above}::bigint)`
  // While versions are ahead of the clock, the step is random. Otherwise, after the restore of an older dump, the same
  // versions would be issued a second time.
  const step = expression`1 + floor(random() * ${stepUs})::bigint`
  const first = expression`case when ${clock} > ${last} then ${clock} else ${last} + ${step} end`
  const [row] = await queries
    .update(fleet)
    .set({ desiredVersion: expression`${first} + ${amount - 1}` })
    .returning({ last: fleet.desiredVersion })
  if (!row) throw new Error('the table fleet is empty')
  const from = row.last - amount + 1
  // The trigger has recorded the last one.
  if (amount > 1)
    await queries.execute(
      expression`insert into desired_versions select generate_series(${from}::bigint, ${row.last - 1}::bigint)`,
    )
  return from
}

/** How long versions are kept, in microseconds: 400 days. */
export const keptVersionsUs = 400 * 86_400_000_000

export async function forgetOldVersions(queries: Queries): Promise<void> {
  const oldest = expression`${clock} - ${keptVersionsUs}::bigint`
  const forgotten = await queries
    .delete(desiredVersions)
    .where(
      expression`${desiredVersions.version} < ${oldest} and ${desiredVersions.version} < (select desired_version from fleet)`,
    )
    .returning({ version: desiredVersions.version })
  if (forgotten.length === 0) return
  const since = forgotten.reduce((last, { version }) => Math.max(last, version), 0) + 1
  await queries
    .update(fleet)
    .set({ versionsSince: expression`greatest(${fleet.versionsSince}, ${since}::bigint)` })
}

/** The versions among the given ones that this database has issued. */
export async function ownVersions(sql: Sql, versions: readonly number[]): Promise<Set<number>> {
  const asked = [...new Set(versions)]
  if (asked.length === 0) return new Set()
  const rows = await sql<{ version: number }[]>`
    select version::float8 from desired_versions where version = any(${asked}::bigint[])`
  return new Set(rows.map(({ version }) => version))
}

/** Nothing is known of versions below. */
export async function versionsSince(sql: Sql): Promise<number> {
  const [row] = await sql<{ since: number }[]>`select versions_since::float8 as since from fleet`
  return row?.since ?? 0
}

/**
 * Changes with everything that the desired states of edges depend on: every change of the fleet has its own version, traces
 * and revocations also expire, and heartbeats change the rows of edges.
 */
export async function markOfDesired(sql: Sql): Promise<string> {
  const [row] = await sql<{ mark: string }[]>`
    select concat_ws(' ', desired_version, versions_since,
      (select concat_ws(' ', count(*), sum(hashtextextended(jsonb_build_array(id, region, drain, drain_version,
        revocations_applied, desired_claimed, desired_version)::text, 0)::numeric)) from edges),
      (select string_agg(id::text, ' ' order by id) from traces where ended_at is null and expires_at > now()),
      (select count(*) from revocations where at > now() - interval '30 days')
    ) as mark from fleet`
  return row?.mark ?? ''
}

/** The last version that this database issued before the given one, or undefined. */
export async function lastVersionBefore(queries: Queries, version: number): Promise<number | undefined> {
  const [row] = await queries
    .select({ last: max(desiredVersions.version) })
    .from(desiredVersions)
    .where(lt(desiredVersions.version, version))
  return row?.last ?? undefined
}

export interface OwnLayer {
  kind: keyof LayerVersions
  name: string
  version: number
}

/** The layers that have a revision of one of these versions. */
export async function ownLayerVersions(sql: Sql, versions: readonly number[]): Promise<OwnLayer[]> {
  if (versions.length === 0) return []
  return await sql<OwnLayer[]>`
    select distinct layer_kind as kind, layer_name as name, version::float8 from revisions
    where version = any(${[...versions]}::bigint[])`
}

/** Versions of another history, and where they were seen. */
export interface RestoreEvidence {
  text: string
  /** The lowest of them. */
  from: number
  /** New versions are above this one: the highest plausible version that was seen. */
  to: number
}

/**
 * Notes that versions of another history were seen, and issues a version above them. This accounts for all versions below
 * it that this database did not issue; versions of a later restore are above it.
 * @param quietMinutes after a note, no other is made for this time; undefined: only higher versions are noted
 * @returns false if it was noted before
 */
export async function noteRestore(
  queries: Queries,
  { text, to }: RestoreEvidence,
  quietMinutes: number | undefined,
): Promise<boolean> {
  const isQuiet = expression`${fleet.restoredAt} > now() - ${quietMinutes ?? 60} * interval '1 minute'`
  const isKnown = expression`${fleet.restoredAbove} >= ${to}::bigint`
  const noted = await queries
    .update(fleet)
    .set({ restoredAt: expression`now()`, restoredEvidence: text })
    .where(
      quietMinutes === undefined
        ? expression`(${isQuiet} and ${isKnown}) is not true`
        : expression`(${isQuiet}) is not true`,
    )
    .returning({ at: fleet.restoredAt })
  if (noted.length === 0) return false
  await queries.update(fleet).set({ restoredAbove: await issueVersions(queries, { above: to }) })
  return true
}

/** This database has no revision, and no operator has confirmed that edges of another one take part. */
export async function isUnconfirmed(queries: Queries): Promise<boolean> {
  const [row] = await queries
    .select({
      adoptedAt: fleet.adoptedAt,
      hasRevision: expression<boolean>`exists (select from ${revisions})`,
    })
    .from(fleet)
  return row !== undefined && row.adoptedAt === null && !row.hasRevision
}

/** Edges of the fleet that run a version which this database did not issue. */
export async function edgesOfOtherDatabases(queries: Queries): Promise<string[]> {
  const rows = await queries
    .select({ id: edges.id })
    .from(edges)
    .where(
      expression`${edges.forgottenAt} is null and ${edges.desiredVersion} is null
        and ${edges.desiredClaimed} >= (select versions_since from fleet)`,
    )
    .orderBy(edges.id)
  return rows.map(({ id }) => id)
}

/** False: it was confirmed before. */
export async function noteAdoption(queries: Queries): Promise<boolean> {
  const noted = await queries
    .update(fleet)
    .set({ adoptedAt: expression`now()` })
    .where(expression`${fleet.adoptedAt} is null`)
    .returning({ at: fleet.adoptedAt })
  return noted.length > 0
}
