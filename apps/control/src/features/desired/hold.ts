/**
 * An empty database and edges with the state of another one: DATABASE_URL is wrong, or the database was lost. Publishing
 * the empty state would make all edges return to their own files. Control publishes nothing until an operator confirms it,
 * writes a revision, or connects the right database (docs/adr/0030-an-empty-database-publishes-nothing.md).
 */
import type { Deps } from '../../deps.ts'
import type { Queries } from '../../platform/db/database.ts'
import { Outage } from '../../platform/outage.ts'
import { edgesOfOtherDatabases, isUnconfirmed } from './queries.ts'

const namedMax = 5

/** Why nothing is published. Undefined: the desired state is published. */
export async function reasonToHold(queries: Queries): Promise<string | undefined> {
  if (!(await isUnconfirmed(queries))) return undefined
  const edges = await edgesOfOtherDatabases(queries)
  if (edges.length === 0) return undefined
  const more = edges.length > namedMax ? ` and ${edges.length - namedMax} more` : ''
  return held(`${edges.slice(0, namedMax).join(', ')}${more} run the state of another database`)
}

/** The same for entries of the bucket, before the edges have sent a heartbeat. */
export async function reasonToKeepBucket(queries: Queries): Promise<string | undefined> {
  return (await isUnconfirmed(queries)) ? held('NATS has the states of another database') : undefined
}

const held = (evidence: string): string =>
  `this database has no revision, and ${evidence}: check DATABASE_URL, or restore the database. ` +
  'If this database is the right one, confirm it with imapfleet edges adopt'

const outages = new WeakMap<Deps['db'], Outage>()

/** Logs the beginning and the end, however often the state is distributed in between. */
export function logHeld({ db, log }: Pick<Deps, 'db' | 'log'>, reason: string | undefined): void {
  let outage = outages.get(db)
  if (!outage) {
    outage = new Outage(log, 'the desired state is not published', 'the desired state is published')
    outages.set(db, outage)
  }
  if (reason === undefined) outage.over()
  else outage.began(new Error(reason))
}
