/** Measures the time from a configuration change until control knows that every edge has applied it. */
import { revisionStatusSchema } from '@imapfleet/api'
import type { BenchPlane } from './plane.ts'

/** Milliseconds of each change, from the request to the last acknowledgement. */
export async function measureChanges(plane: BenchPlane, changes: number): Promise<number[]> {
  const taken: number[] = []
  for (let index = 0; index < changes; index++) {
    const set = { 'pool.idleTimeoutMs': 60_000 + index }
    const began = performance.now()
    const answer = await plane.ask('/v1/config/revisions', { layer: { kind: 'global' }, set })
    const { revision } = revisionStatusSchema.parse(answer).revision
    await untilApplied(plane, revision)
    taken.push(performance.now() - began)
  }
  return taken
}

async function untilApplied({ sql }: BenchPlane, revision: number): Promise<void> {
  for (;;) {
    const [row] = await sql`select count(*)::int as missing from edges where config_applied < ${revision}`
    if (row?.['missing'] === 0) return
    await sql`select pg_sleep(0.01)`
  }
}
