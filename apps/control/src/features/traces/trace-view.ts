/** A trace in the form of the API. A trace that has expired has ended, although no row says so. */
import type { TraceView } from '@imapfleet/api'
import type { TraceRow } from './queries.ts'

export function traceView(row: TraceRow, now: number): TraceView {
  return {
    id: row.id,
    user: row.user,
    createdBy: row.createdBy,
    createdAt: row.createdAt.toISOString(),
    expiresAt: row.expiresAt.toISOString(),
    endedAt: traceEnd(row, now)?.toISOString() ?? null,
    bodies: row.bodies,
  }
}

/** When it ended; null while it runs. */
export function traceEnd(row: Pick<TraceRow, 'endedAt' | 'expiresAt'>, now: number): Date | null {
  return row.endedAt ?? (row.expiresAt.getTime() <= now ? row.expiresAt : null)
}
