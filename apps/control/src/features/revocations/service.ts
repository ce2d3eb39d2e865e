/**
 * Revocations make every edge stop reusing the server connections of a user or a domain. A silent edge does so when it
 * returns.
 */
import type { Pace, RevocationRecord, RevocationStatus, StageEdge } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import type { Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { changeFleet, distributeDesired, statusOfRevocation } from '../desired/service.ts'
import { listAllEdges, selectEdges } from '../edges/queries.ts'
import { beginOperation, isStaged, viewOfOperation, type CurrentStage } from '../operations/service.ts'
import {
  findRevocation,
  insertRevocation,
  revocationOfStage,
  selectRevocations,
  type RevocationRow,
} from './queries.ts'

export interface RevocationInput {
  kind: 'user' | 'domain'
  subject: string
  note: string
  pace?: Pace | undefined
}

/** A domain is revoked region by region, unless the pace says otherwise. The first region is revoked immediately. */
export async function addRevocation(
  deps: Deps,
  actor: Actor,
  { kind, note, pace, ...input }: RevocationInput,
): Promise<RevocationStatus> {
  const subject = kind === 'domain' ? input.subject.replace(/^@/, '').toLowerCase() : input.subject
  const row = await changeFleet(deps.db, async (queries, version) => {
    const at = new Date(deps.now())
    // Forgotten edges have their revocations in the bucket for when they return.
    const edges = await listAllEdges(queries)
    const isLarge = kind === 'domain'
    const operation = isStaged(isLarge, edges, pace)
      ? await beginOperation(queries, actor, at, {
          title: `revoke domain ${subject}`,
          work: { kind: 'revocation', domain: subject, note },
          target: { kind: 'all' },
          edges,
          pace,
        })
      : undefined
    await writeAudit(queries, {
      actor: actor.name,
      action: `revoke.${kind}`,
      target: subject,
      after: {
        sequence: version,
        note,
        ...(isLarge && { pace: pace ?? (operation ? 'staged' : 'at-once') }),
      },
    })
    return await insertRevocation(queries, {
      ...{ sequence: version, kind, subject, at, note, createdBy: actor.name },
      ...(operation && { operation: operation.id, region: operation.stages[0]?.region ?? '' }),
    })
  })
  await distributeDesired(deps)
  return await statusOf(deps.db.orm, row)
}

/** The stage of the revocation of a domain: each region has a revocation of its own. */
export async function revocationStage(
  deps: Deps,
  lease: Lease,
  { work, operation, region, edges }: CurrentStage<'revocation'>,
): Promise<StageEdge[]> {
  let row = await revocationOfStage(deps.db.orm, operation.id, region)
  if (!row) {
    row = await changeFleet(deps.db, async (queries, version) => {
      await lease.check(queries)
      return await insertRevocation(queries, {
        ...{
          sequence: version,
          kind: 'domain',
          subject: work.domain,
          at: new Date(deps.now()),
          note: work.note,
        },
        ...{ createdBy: operation.createdBy, operation: operation.id, region },
      })
    })
    await distributeDesired(deps, { kind: 'region', name: region })
  }
  const { sequence } = row
  return edges.map((edge) => {
    const status = statusOfRevocation(sequence, edge)
    return { id: edge.id, status: status === 'applied' ? 'done' : status, reason: null }
  })
}

/** Newest first. */
export async function listRevocations(
  { db }: Pick<Deps, 'db'>,
  page: { limit: number; before?: number | undefined },
): Promise<{ revocations: RevocationRecord[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevocations(db.orm, asked),
    ({ sequence }) => sequence,
  )
  return { revocations: shown.map(recordOf), next }
}

/** One revocation, and its progress on each edge. */
export async function readRevocation({ db }: Pick<Deps, 'db'>, sequence: number): Promise<RevocationStatus> {
  return await inSnapshot(db, async (queries) => {
    const row = await findRevocation(queries, sequence)
    if (row) return await statusOf(queries, row)
    throw new ServiceError(
      'revocation_unknown',
      `No revocation has the sequence ${sequence}: GET /v1/revocations lists all revocations.`,
    )
  })
}

const recordOf = ({ operation, ...row }: RevocationRow): RevocationRecord => ({
  ...row,
  at: row.at.toISOString(),
  ...(operation !== null && { operation }),
})

async function statusOf(queries: Queries, row: RevocationRow): Promise<RevocationStatus> {
  const operation = row.operation === null ? undefined : await viewOfOperation(queries, row.operation)
  const edges = (await selectEdges(queries)).filter(
    ({ region }) => row.region === null || row.region === region,
  )
  return {
    revocation: recordOf(row),
    edges: edges.map((edge) => ({
      id: edge.id,
      region: edge.region,
      status: statusOfRevocation(row.sequence, edge),
    })),
    ...(operation && { operation }),
  }
}
