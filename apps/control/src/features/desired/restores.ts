/**
 * Handles versions that this database never issued. Postgres was then restored from an older dump, or the state of another
 * fleet is in the bucket or on an edge. Control continues above these versions, recovers the revocations that only the
 * bucket still has, and reports the restore to operators.
 */
import type { Revocation } from '@imapfleet/protocol'
import type { Deps } from '../../deps.ts'
import type { Queries } from '../../platform/db/database.ts'
import { itself, writeAudit } from '../audit/service.ts'
import { insertRevocation, recentRevocations } from '../revocations/queries.ts'
import { eachEntry } from './entries.ts'
import { reasonToHold } from './hold.ts'
import {
  issueVersions,
  lastVersionBefore,
  noteRestore,
  ownVersions,
  readFleet,
  versionsSince,
  type RestoreEvidence,
} from './queries.ts'

/** An edge can claim any version. Claims of edges are reported once in this time. */
const quietMinutes = 10
const dayMs = 86_400_000
/** The highest value of `pool.lifetimeMaxMs`: an older revocation affects no connection. */
const revocationsKeptMs = 30 * dayMs
/** An edge that claims a version further ahead of the clock than this cannot raise the versions of the fleet. */
const plausibleMs = 365 * dayMs

/**
 * Issues a version above all entries of the bucket, and stores their revocations that this database does not know. An
 * entry has all revocations that its edge has not applied.
 * @returns the place in the bucket up to which all entries were read
 */
export async function recoverFromBucket(deps: Deps): Promise<number> {
  const { place, foreign, revocations } = await readBucket(deps)
  if (foreign.size === 0) return place
  const versions = [...foreign.values()]
  const text = `the bucket has desired states that this database did not issue (${named([...foreign.keys()])})`
  const evidence = { text, from: Math.min(...versions), to: Math.max(...versions) }
  const told = await deps.db.orm.transaction(async (tx) => {
    const first = await issueVersions(tx, { above: evidence.to })
    // Read after the lock that the new version takes, so that no other replica inserts them too.
    const known = new Set((await recentRevocations(tx)).map((row) => keyOf({ ...row, at: row.at.getTime() })))
    const missing = revocations
      .filter((each) => !known.has(keyOf(each)) && each.at > deps.now() - revocationsKeptMs)
      .sort((a, b) => a.sequence - b.sequence)
    const amount = missing.length
    const from = amount > 0 ? await issueVersions(tx, { above: first, amount }) : first
    for (const [index, { kind, subject, at, sequence }] of missing.entries())
      await insertRevocation(tx, {
        ...{ sequence: from + index, kind, subject, at: new Date(at), createdBy: itself },
        note: `recovered as revocation ${sequence} of another history of the database`,
      })
    const revoked = missing.map(({ kind, subject }) => `${kind} ${subject}`)
    return await tell(tx, evidence, undefined, revoked)
  })
  if (told) deps.log.error('Postgres was restored from an older dump: changes since then are lost', told)
  return place
}

/** The entries that this database did not issue, by key, and the revocations of all entries. */
async function readBucket({ bus, db }: Deps) {
  let place = 0
  const versions = new Map<string, number>()
  const revocations = new Map<string, Revocation>()
  for await (const entry of eachEntry(bus)) {
    place = Math.max(place, entry.place)
    if (!entry.desired) continue
    versions.set(entry.key, entry.desired.version)
    for (const revocation of entry.desired.revocations) revocations.set(keyOf(revocation), revocation)
  }
  const own = await ownVersions(db.sql, [...versions.values()])
  const since = await versionsSince(db.sql)
  const foreign = new Map([...versions].filter(([, version]) => version >= since && !own.has(version)))
  return { place, foreign, revocations: [...revocations.values()] }
}

/**
 * If edges claim versions above the highest issued one, issues a version above them. This happens if the clock of Postgres
 * was ahead before a restore, or is behind now. Without it these edges would ignore their entries. Returns false if no
 * version was needed.
 */
export async function continueAbove(
  { db, log, now }: Pick<Deps, 'db' | 'log' | 'now'>,
  edges: readonly { id: string; desiredClaimed: number | null; desiredVersion: number | null }[],
  version: number,
): Promise<boolean> {
  const claimMax = claimMaxOf(now())
  const ahead = edges.filter(
    ({ desiredClaimed, desiredVersion }) =>
      desiredVersion === null &&
      desiredClaimed !== null &&
      desiredClaimed >= version &&
      desiredClaimed <= claimMax,
  )
  if (ahead.length === 0) return false
  const above = Math.max(...ahead.map(({ desiredClaimed }) => desiredClaimed ?? 0))
  await issueVersions(db.orm, { above })
  log.warn(
    'edges run a desired state with a newer version than this database has issued; control continues with higher versions',
    {
      edges: named(ahead.map(({ id }) => id)),
      version: above,
    },
  )
  return true
}

/**
 * Reports that edges run, or ran, versions that this database did not issue. Nothing can be recovered from their
 * heartbeats. Edges repeat such a version many times, also after a later restore: it is reported once.
 */
export async function reportForeignEdges(
  { db, log, now }: Pick<Deps, 'db' | 'log' | 'now'>,
  edges: readonly { id: string; versions: readonly number[] }[],
): Promise<void> {
  if (edges.every(({ versions }) => versions.length === 0)) return
  const { restoredAt, restoredAbove } = await readFleet(db.orm)
  if (restoredAt && now() - restoredAt.getTime() < quietMinutes * 60_000) return
  const isNew = (version: number) => version > restoredAbove
  const witnesses = edges.filter(({ versions }) => versions.some(isNew))
  if (witnesses.length === 0) return
  const versions = witnesses.flatMap((each) => each.versions.filter(isNew))
  const believed = versions.filter((version) => version <= claimMaxOf(now()))
  const text = `edges report desired states that this database did not issue (${named(witnesses.map(({ id }) => id))})`
  const evidence = { text, from: Math.min(...versions), to: Math.max(0, ...believed) }
  const told = await db.orm.transaction(async (tx) => await tell(tx, evidence, quietMinutes, []))
  if (told) log.error('Postgres was restored from an older dump, or edges come from another fleet', told)
}

/** Higher versions of an edge do not raise the versions of the fleet. */
const claimMaxOf = (now: number): number => (now + plausibleMs) * 1000

/** Notes the restore and writes the audit entry. Undefined if it was reported before and nothing was recovered. */
async function tell(
  queries: Queries,
  { text, ...evidence }: RestoreEvidence,
  quiet: number | undefined,
  revoked: readonly string[],
) {
  const last = await lastVersionBefore(queries, evidence.from)
  // Later changes of the other history are lost.
  const lostSince = last === undefined ? 'the beginning' : new Date(last / 1000).toISOString()
  const noted = `${text}; changes since ${lostSince} are lost`
  if (!(await noteRestore(queries, { ...evidence, text: noted }, quiet)) && revoked.length === 0)
    return undefined
  const facts = { evidence: text, lostSince, recovered: revoked.length }
  const after = { ...facts, revoked: revoked.slice(0, namedMax * 10) }
  await writeAudit(queries, { actor: itself, action: 'fleet.restore', target: 'fleet', after })
  return facts
}

/** When control last learned of a restore, in milliseconds since 1970. Undefined: never. */
export async function lastRestore({ db }: Pick<Deps, 'db'>): Promise<number | undefined> {
  return (await readFleet(db.orm)).restoredAt?.getTime()
}

/** The edge runs a version that this database did not issue. */
export const runsForeignState = (edge: {
  desiredClaimed: number | null
  desiredVersion: number | null
}): boolean => edge.desiredClaimed !== null && edge.desiredClaimed > 0 && edge.desiredVersion === null

/** How long a restore is shown as a problem of the fleet. */
const shownMs = dayMs

/** What is wrong with the fleet as a whole, as sentences for an operator. */
export async function fleetProblems(queries: Queries, now: number): Promise<string[]> {
  const held = await reasonToHold(queries)
  if (held !== undefined) return [`The desired state is not published: ${held}.`]
  const { restoredAt, restoredEvidence } = await readFleet(queries)
  if (!restoredAt || now - restoredAt.getTime() > shownMs) return []
  return [
    `Postgres was restored from an older database, as control learned at ${restoredAt.toISOString()}: ${restoredEvidence ?? ''}. ` +
      'Check revisions, drains and traces. Revoke the tokens again that were revoked after the backup.',
  ]
}

const keyOf = ({ kind, subject, at }: Pick<Revocation, 'kind' | 'subject' | 'at'>): string =>
  `${kind}/${at}/${subject}`

const namedMax = 10
const named = (names: readonly string[]): string =>
  names.length > namedMax
    ? `${names.slice(0, namedMax).join(', ')} and ${names.length - namedMax} more`
    : names.join(', ')
