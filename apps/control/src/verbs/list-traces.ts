/** Traces, running and ended, newest first. */
import type { TraceView } from '@imapfleet/protocol'
import { listTraces as readTraces } from '../db/traces.ts'
import type { Deps } from '../deps.ts'
import { traceView } from '../views/trace-view.ts'

export async function listTraces(
  deps: Deps,
  page: { limit: number; before?: Date | undefined },
): Promise<TraceView[]> {
  const now = deps.now()
  return (await readTraces(deps.db.orm, page)).map((row) => traceView(row, now))
}
