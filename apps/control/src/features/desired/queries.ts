/** The version of the desired state, and the versions that this database has issued. */
import { sql as expression } from 'drizzle-orm'
import type { LayerVersions } from '@imapfleet/protocol'
import type { Queries } from '../../platform/db/database.ts'
import type { Sql } from '../../platform/db/sql.ts'
import { fleet } from './table.ts'

export async function desiredVersion(queries: Queries): Promise<number> {
  const [row] = await queries.select({ version: fleet.desiredVersion }).from(fleet)
  if (!row) throw new Error('the table fleet is empty')
  return row.version
}

/** The clock of Postgres in microseconds since 1970. */
const clock = expression`(extract(epoch from clock_timestamp()) * 1000000)::bigint`

/** Issues the next version, which is at least `above` + 1. Locks the row of the fleet until the commit. */
export async function issueVersion(queries: Queries, above = 0): Promise<number> {
  const [row] = await queries
    .update(fleet)
    .set({
      desiredVersion: expression`greatest(${fleet.desiredVersion} + 1, ${clock}, ${above}::bigint + 1)`,
    })
    .returning({ version: fleet.desiredVersion })
  if (!row) throw new Error('the table fleet is empty')
  return row.version
}

/** Those of these versions that this database has issued. */
export async function ownVersions(sql: Sql, versions: readonly number[]): Promise<Set<number>> {
  const asked = [...new Set(versions)]
  if (asked.length === 0) return new Set()
  const rows = await sql<{ version: number }[]>`
    select version::float8 from desired_versions where version = any(${asked}::bigint[])`
  return new Set(rows.map(({ version }) => version))
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
