/**
 * Revocations make every edge stop reusing the server connections of a user or a domain. A silent edge does so when it
 * returns.
 */
import {
  isLimited,
  type AccessLimits,
  type Pace,
  type RevocationRecord,
  type RevocationStatus,
  type StageEdge,
} from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { needsSubject, regionWithin, type Actor } from '../../platform/access.ts'
import type { Queries } from '../../platform/db/database.ts'
import { inSnapshot } from '../../platform/db/snapshot.ts'
import { pageOf } from '../../platform/db/page-of.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { ServiceError } from '../../platform/errors.ts'
import { writeAudit } from '../audit/service.ts'
import { changeFleet, distributeDesired, statusOfRevocation } from '../desired/service.ts'
import { listAllEdges, selectEdges } from '../edges/queries.ts'
import { edgesOfTarget } from '../edges/service.ts'
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
  region?: string | undefined
  pace?: Pace | undefined
}

/**
 * A domain is revoked region by region, unless the pace says otherwise. The first region is revoked immediately. Throws
 * `edge_unknown` for a region without edges.
 */
export async function addRevocation(
  deps: Deps,
  actor: Actor,
  { kind, note, pace, ...input }: RevocationInput,
): Promise<RevocationStatus> {
  const subject = kind === 'domain' ? input.subject.replace(/^@/, '').toLowerCase() : input.subject
  needsSubject(actor, { kind, name: subject })
  const region = regionWithin(actor, input.region)
  if (region !== null) await edgesOfTarget(deps, actor.limits, { kind: 'region', name: region })
  const row = await changeFleet(deps.db, async (queries, version) => {
    const at = new Date(deps.now())
    // Forgotten edges have their revocations in the bucket for when they return.
    const edges = (await listAllEdges(queries)).filter((edge) => region === null || edge.region === region)
    const isLarge = kind === 'domain'
    const operation = isStaged(actor, isLarge, edges, pace)
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
        ...(region !== null && { region }),
        ...(isLarge && { pace: pace ?? (operation ? 'staged' : 'at-once') }),
      },
    })
    return await insertRevocation(queries, {
      ...{ sequence: version, kind, subject, at, note, createdBy: actor.name, region },
      ...(operation && { operation: operation.id, region: operation.stages[0]?.region ?? '' }),
    })
  })
  await distributeDesired(deps)
  return await statusOf(deps.db.orm, actor.limits, row)
}

/** The stage of the revocation of a domain: each region has a separate revocation. */
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
  limits: AccessLimits,
  page: { limit: number; before?: number | undefined },
): Promise<{ revocations: RevocationRecord[]; next: number | null }> {
  const { shown, next } = await pageOf(
    page,
    (asked) => selectRevocations(db.orm, limits, asked),
    ({ sequence }) => sequence,
  )
  return { revocations: shown.map((row) => recordOf(row, limits)), next }
}

/** One revocation, and its progress on each edge. */
export async function readRevocation(
  { db }: Pick<Deps, 'db'>,
  limits: AccessLimits,
  sequence: number,
): Promise<RevocationStatus> {
  return await inSnapshot(db, async (queries) => {
    const row = await findRevocation(queries, limits, sequence)
    if (row) return await statusOf(queries, limits, row)
    throw new ServiceError(
      'revocation_unknown',
      `No revocation has the sequence ${sequence}: GET /v1/revocations lists all revocations.`,
    )
  })
}

/** Operations concern several regions and show the health of the fleet, so limits hide them. */
function recordOf(row: RevocationRow, limits: AccessLimits): RevocationRecord {
  const { sequence, kind, subject, at, createdBy, note, region, operation } = row
  return {
    ...{ sequence, kind, subject, at: at.toISOString(), createdBy, note, region },
    ...(operation !== null && !isLimited(limits) && { operation }),
  }
}

async function statusOf(
  queries: Queries,
  limits: AccessLimits,
  row: RevocationRow,
): Promise<RevocationStatus> {
  const operation =
    row.operation === null || isLimited(limits) ? undefined : await viewOfOperation(queries, row.operation)
  const edges = (await selectEdges(queries, limits)).filter(
    ({ region }) => row.region === null || row.region === region,
  )
  return {
    revocation: recordOf(row, limits),
    edges: edges.map((edge) => ({
      id: edge.id,
      region: edge.region,
      status: statusOfRevocation(row.sequence, edge),
    })),
    ...(operation && { operation }),
  }
}
