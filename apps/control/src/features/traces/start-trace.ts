/** Traces one user on every edge for a limited time. */
import { randomUUID } from 'node:crypto'
import type { TraceView } from '@imapfleet/api'
import { needsScope, type Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import { changeFleet } from '../desired/fleet.ts'
import { countRunningTraces, insertTrace } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { traceView } from './trace-view.ts'
import { distributeDesired } from '../desired/distribute-desired.ts'

export interface TraceInput {
  user: string
  seconds: number
  bytesMax: number
  bodies: boolean
}

/** Fewer than one entry of the desired state can hold. */
const runningMax = 500

export async function beginTrace(deps: Deps, actor: Actor, input: TraceInput): Promise<TraceView> {
  if (input.bodies) needsScope(actor, 'trace-bodies')
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
      bytesMax: input.bytesMax,
      bodies: input.bodies,
      createdBy: actor.name,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + input.seconds * 1000),
    })
    await writeAudit(queries, {
      actor: actor.name,
      action: 'trace.start',
      target: input.user,
      after: { id: trace.id, seconds: input.seconds, bytesMax: input.bytesMax, bodies: input.bodies },
    })
    return trace
  })
  await distributeDesired(deps)
  return traceView(row, deps.now())
}
