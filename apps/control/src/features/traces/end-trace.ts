/** Ends a trace early. A trace that has ended stays unchanged. */
import type { TraceView } from '@imapfleet/api'
import type { Actor } from '../../platform/access.ts'
import { writeAudit } from '../audit/audit.ts'
import { changeFleet } from '../desired/fleet.ts'
import { markTraceEnded } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { traceEnd, traceView } from './trace-view.ts'
import { knownTrace } from './read-trace.ts'
import { distributeDesired } from '../desired/distribute-desired.ts'

export async function endTrace(deps: Deps, actor: Actor, id: string): Promise<TraceView> {
  const known = await knownTrace(deps, id)
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
  return traceView(await knownTrace(deps, id), deps.now())
}
