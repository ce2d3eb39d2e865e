/** One trace. */
import type { TraceView } from '@imapfleet/api'
import { findTrace, type TraceRow } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { ServiceError } from '../../platform/errors.ts'
import { traceView } from './trace-view.ts'

export async function readTrace(deps: Deps, id: string): Promise<TraceView> {
  return traceView(await knownTrace(deps, id), deps.now())
}

export async function knownTrace({ db }: Deps, id: string): Promise<TraceRow> {
  const row = await findTrace(db.orm, id)
  if (!row)
    throw new ServiceError('trace_unknown', `No trace has the id ${id}: GET /v1/traces lists all traces.`)
  return row
}
