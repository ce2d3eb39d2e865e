/** Traces of one user, on every edge or on the edges of a region, for a limited time. The lines are in NATS: see follow.ts. */
import { randomUUID } from 'node:crypto'
import { isAtLeast, type AccessLimits, type TraceView } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import {
  allowsDomain,
  allowsRegion,
  needsScope,
  needsSubject,
  regionWithin,
  type Actor,
} from '../../platform/access.ts'
import { pageOf, type PageQuery } from '../../platform/db/page-of.ts'
import { ServiceError } from '../../platform/errors.ts'
import type { Lease } from '../../platform/ticks/leases.ts'
import { rightsOfTokens } from '../access/service.ts'
import { itself, writeAudit } from '../audit/service.ts'
import { distributeDesired, changeFleet } from '../desired/service.ts'
import { edgesOfTarget } from '../edges/service.ts'
import {
  countRunningTraces,
  findTrace,
  insertTrace,
  markTraceEnded,
  runningTraces,
  selectTraces,
  type TraceRow,
} from './queries.ts'

export interface TraceInput {
  user: string
  region?: string | undefined
  seconds: number
  bytesMax: number
  bodies: boolean
}

/** Fewer than one entry of the desired state can hold. */
const runningMax = 500

/** Throws `edge_unknown` for a region without edges. */
export async function beginTrace(deps: Deps, actor: Actor, input: TraceInput): Promise<TraceView> {
  if (input.bodies) needsScope(actor, 'trace-bodies')
  needsSubject(actor, { kind: 'user', name: input.user })
  const region = regionWithin(actor, input.region)
  if (region !== null) await edgesOfTarget(deps, actor.limits, { kind: 'region', name: region })
  const createdAt = new Date(deps.now())
  const row = await changeFleet(deps.db, async (queries) => {
    if ((await countRunningTraces(queries)) >= runningMax)
      throw new ServiceError(
        'traces_full',
        `${runningMax} users are being traced already: end a trace first.`,
      )
    const trace = await insertTrace(queries, {
      id: randomUUID(),
      user: input.user,
      region,
      bytesMax: input.bytesMax,
      bodies: input.bodies,
      createdBy: actor.name,
      token: actor.id,
      createdAt,
      // Edges end it then, even if control is down.
      expiresAt: new Date(
        Math.min(createdAt.getTime() + input.seconds * 1000, actor.expiresAt?.getTime() ?? Infinity),
      ),
    })
    await writeAudit(queries, {
      actor: actor.name,
      action: 'trace.start',
      target: input.user,
      after: {
        ...{ id: trace.id, seconds: input.seconds, bytesMax: input.bytesMax, bodies: input.bodies },
        ...(region !== null && { region }),
      },
    })
    return trace
  })
  await distributeDesired(deps)
  return traceView(row, deps.now())
}

/** Traces, running or ended, newest first. */
export async function listTraces(
  deps: Deps,
  limits: AccessLimits,
  page: PageQuery<string>,
): Promise<{ traces: TraceView[]; next: string | null }> {
  const now = deps.now()
  const { shown, next } = await pageOf(
    page,
    (asked) => selectTraces(deps.db.orm, limits, asked),
    ({ id }) => id,
    (id) => findTrace(deps.db.orm, limits, id),
  )
  return { traces: shown.map((row) => traceView(row, now)), next }
}

export async function readTrace(deps: Deps, limits: AccessLimits, id: string): Promise<TraceView> {
  return traceView(await knownTrace(deps, limits, id), deps.now())
}

/** Throws `trace_unknown`, also for a trace outside the limits. */
export async function knownTrace({ db }: Deps, limits: AccessLimits, id: string): Promise<TraceRow> {
  const row = await findTrace(db.orm, limits, id)
  if (!row)
    throw new ServiceError('trace_unknown', `No trace has the id ${id}: GET /v1/traces lists all traces.`)
  return row
}

/** Ends a trace early. A trace that has ended stays unchanged. */
export async function endTrace(deps: Deps, actor: Actor, id: string): Promise<TraceView> {
  const known = await knownTrace(deps, actor.limits, id)
  const at = new Date(deps.now())
  if (traceEnd(known, at.getTime())) return traceView(known, at.getTime())
  await changeFleet(deps.db, async (queries) => {
    const ended = await markTraceEnded(queries, id, at)
    if (ended)
      await writeAudit(queries, {
        actor: actor.name,
        action: 'trace.end',
        target: ended.user,
        before: { id },
      })
  })
  await distributeDesired(deps)
  return traceView(await knownTrace(deps, actor.limits, id), deps.now())
}

/**
 * Ends the traces whose creator may no longer see them: its token was revoked or has expired, it lost the role or the scope, or
 * the trace is outside its limits. The edges then stop recording, whether anybody is watching or not.
 */
export async function endForfeitedTraces(deps: Deps, lease: Lease): Promise<void> {
  const running = (await runningTraces(deps.db.orm)).filter(({ token }) => token !== null)
  if (running.length === 0) return
  const ids = [...new Set(running.map(({ token }) => token!))]
  const rights = await rightsOfTokens(deps, ids)
  const forfeited = running.flatMap((trace) => {
    const reason = reasonToEnd(trace, rights.get(trace.token!))
    return reason === undefined ? [] : [{ id: trace.id, reason }]
  })
  if (forfeited.length === 0) return
  const at = new Date(deps.now())
  await changeFleet(deps.db, async (queries) => {
    await lease.check(queries)
    for (const { id, reason } of forfeited) {
      const ended = await markTraceEnded(queries, id, at)
      if (ended)
        await writeAudit(queries, {
          actor: itself,
          action: 'trace.end',
          target: ended.user,
          before: { id },
          after: { reason },
        })
    }
  })
  await distributeDesired(deps)
}

function reasonToEnd(
  { createdBy, bodies, region, domain }: TraceRow,
  rights: Actor | ServiceError | undefined,
): string | undefined {
  if (rights === undefined) return `The token of ${createdBy} is gone.`
  if (rights instanceof ServiceError) return rights.message
  if (!isAtLeast(rights.role, 'operator')) return `${createdBy} no longer has the role operator.`
  if (bodies && !rights.scopes.includes('trace-bodies'))
    return `${createdBy} no longer has the scope trace-bodies.`
  if (!allowsRegion(rights.limits, region) || !allowsDomain(rights.limits, domain))
    return `The trace is outside the limits of ${createdBy}.`
  return undefined
}

/** When it ended; null while it runs. A trace that has expired has ended, although no row says so. */
export function traceEnd(row: Pick<TraceRow, 'endedAt' | 'expiresAt'>, now: number): Date | null {
  return row.endedAt ?? (row.expiresAt.getTime() <= now ? row.expiresAt : null)
}

const traceView = (row: TraceRow, now: number): TraceView => ({
  id: row.id,
  user: row.user,
  region: row.region,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: row.expiresAt.toISOString(),
  endedAt: traceEnd(row, now)?.toISOString() ?? null,
  bodies: row.bodies,
})
