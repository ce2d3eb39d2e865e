/** Asks what happened in a time range. Drains are in the audit log, which only admins may read. */
import type { EdgeView } from '@imapfleet/api'
import { ifAllowed } from '../api/allowed.ts'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { happenedTo, marksOf, type Mark } from './marks.ts'

const everyMs = 10_000
/** More marks than this are unreadable. */
const limit = 50

/** `edges`: their restarts are marked. `only`: nothing that concerns only other edges. */
export function useMarks(edges: readonly EdgeView[], fromMs: number, toMs: number, only?: EdgeView): Mark[] {
  const { data } = useAnswer(
    'marks',
    async (signal) => {
      const nothing = { entries: [], next: null }
      const audit = async (action: string) =>
        (await ifAllowed(call('listAudit', { query: { action, limit }, signal }), nothing)).entries
      const [{ revisions }, { rollouts }, drained, resumed] = await Promise.all([
        ifAllowed(call('listRevisions', { query: { limit }, signal }), { revisions: [], next: null }),
        ifAllowed(call('listRollouts', { query: { limit }, signal }), { rollouts: [], next: null }),
        audit('edges.drain'),
        audit('edges.resume'),
      ])
      return { revisions, rollouts, drains: [...drained, ...resumed] }
    },
    { everyMs },
  )
  if (!data) return []
  const happened = { ...data, edges }
  return marksOf(only ? happenedTo(only, happened) : happened, fromMs, toMs).slice(0, limit)
}
