/** Traces, running or ended, newest first. */
import type { TraceView } from '@imapfleet/api'
import { selectTraces } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { traceView } from './trace-view.ts'
import { pageOf, type PageWish } from '../../platform/db/page-of.ts'

export async function listTraces(
  deps: Deps,
  page: PageWish<string>,
): Promise<{ traces: TraceView[]; next: string | null }> {
  const now = deps.now()
  const { shown, next } = await pageOf(
    page,
    (asked) => selectTraces(deps.db.orm, asked),
    ({ id }) => id,
  )
  return { traces: shown.map((row) => traceView(row, now)), next }
}
