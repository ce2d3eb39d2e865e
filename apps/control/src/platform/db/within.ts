/** Limits of an actor as conditions of a query. A row with an empty region or domain is within no limits. */
import type { AccessLimits } from '@imapfleet/api'
import { sql, type SQL, type SQLWrapper } from 'drizzle-orm'

/** Undefined: every row is. */
export const withinRegions = ({ regions }: AccessLimits, region: SQLWrapper): SQL | undefined =>
  oneOf(regions, region)

/** Undefined: every row is. */
export const withinDomains = ({ domains }: AccessLimits, domain: SQLWrapper): SQL | undefined =>
  oneOf(domains, domain)

const oneOf = (allowed: readonly string[] | undefined, column: SQLWrapper): SQL | undefined =>
  allowed && sql`${column} = any(${sql.param([...allowed])}::text[])`
