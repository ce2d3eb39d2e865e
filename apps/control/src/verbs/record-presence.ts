/** Heartbeats into the register; an edge that is new or has started again gets its desired state. */
import type { Presence } from '@imapfleet/protocol'
import { upsertPresence } from '../db/edges.ts'
import { troubleOf } from '../db/trouble.ts'
import type { Deps } from '../deps.ts'
import { reasonOf } from '../log.ts'
import { spreadDesired } from './spread-desired.ts'

/** What could not be stored is dropped: the next heartbeat makes up for it. Throws when Postgres is away. */
export async function recordPresence(deps: Deps, heard: readonly Presence[]): Promise<void> {
  // One statement may touch a row once: the last heartbeat of each edge counts.
  const last = [...new Map(heard.map((presence) => [presence.edge, presence])).values()]
  const arrived = new Set(await store(deps, last))
  deps.tally.add('heartbeats_total', heard.length)
  if (arrived.size === 0) return
  deps.log('info', 'edges have started', { edges: [...arrived].join(',') })
  await spreadDesired(deps, (edge) => arrived.has(edge.id))
}

async function store(deps: Deps, heard: readonly Presence[]): Promise<string[]> {
  try {
    return await upsertPresence(deps.db, heard)
  } catch (error) {
    if (troubleOf(error) !== 'unstorable') throw error
    if (heard.length > 1) {
      const each: string[] = []
      for (const presence of heard) each.push(...(await store(deps, [presence])))
      return each
    }
    deps.log('warn', 'a heartbeat cannot be stored', { edge: heard[0]?.edge, reason: reasonOf(error) })
    return []
  }
}
