/**
 * Stores heartbeats. An edge that is new or has restarted gets its desired state. A forgotten edge returns to the
 * fleet.
 */
import type { Presence } from '@imapfleet/protocol'
import { reasonOf } from '@imapfleet/observe'
import { itself, writeAudit } from '../audit/audit.ts'
import { rememberEdges, upsertPresence, type Arrival } from './queries.ts'
import { troubleOf } from '../../platform/db/trouble.ts'
import type { Deps } from '../../deps.ts'
import { distributeDesired } from '../desired/distribute-desired.ts'

/**
 * A heartbeat that cannot be stored is dropped, because the next one replaces it. Throws if Postgres is unavailable.
 */
export async function recordPresence(deps: Deps, heard: readonly Presence[]): Promise<void> {
  // One statement can write a row only once, so only the last heartbeat of each edge counts.
  const last = [...new Map(heard.map((presence) => [presence.edge, presence])).values()]
  const arrivals = await store(deps, last)
  deps.metrics.counters.control_heartbeats_total.value += heard.length
  if (arrivals.length === 0) return
  await remember(
    deps,
    arrivals.filter(({ forgotten }) => forgotten).map(({ id }) => id),
  )
  const arrived = new Set(arrivals.map(({ id }) => id))
  const started = arrivals.filter(({ forgotten }) => !forgotten).map(({ id }) => id)
  if (started.length > 0) deps.log.info('edges started', { edges: started.join(',') })
  await distributeDesired(deps, (edge) => arrived.has(edge.id))
}

/** If two replicas see it at the same time, only one of them acts. */
async function remember({ db, log }: Deps, forgotten: readonly string[]): Promise<void> {
  if (forgotten.length === 0) return
  const back = await db.orm.transaction(async (tx) => {
    const remembered = await rememberEdges(tx, forgotten)
    for (const id of remembered)
      await writeAudit(tx, { actor: itself, action: 'edge.return', target: `edge/${id}` })
    return remembered
  })
  if (back.length > 0) log.info('forgotten edges returned', { edges: back.join(',') })
}

async function store(deps: Deps, heard: readonly Presence[]): Promise<Arrival[]> {
  try {
    return await upsertPresence(deps.db, heard)
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (heard.length > 1) {
      const each: Arrival[] = []
      for (const presence of heard) each.push(...(await store(deps, [presence])))
      return each
    }
    deps.log.warn('a heartbeat cannot be stored', { edge: heard[0]?.edge, reason: reasonOf(error) })
    return []
  }
}
