/** A login that wants a connection, as the room for connections knows it. */
import type { Upstream } from '../upstream/upstream.ts'
import type { Ask } from './lease.ts'
import type { Claim } from './room.ts'
import type { States } from './states.ts'
import type { Warm } from './warm.ts'

export function claimOf(
  { target, wanted, asker }: Ask,
  pool: { readonly states: States; readonly warm: Warm; makeRoom: (idle: Upstream) => void },
): Claim {
  const { identity } = wanted
  const meant = { user: { identity }, upstream: { name: target.name } }
  return {
    upstream: target.name,
    identity,
    limits: target.config,
    isWanted: () => asker.isThere,
    isProven: () => pool.warm.knows(wanted),
    hasIdle: (of, beyond) => pool.states.hasIdle(meant[of], beyond),
    free: (of) => {
      const oldest = pool.states.oldestIdle(meant[of])
      if (oldest) pool.makeRoom(oldest)
    },
  }
}
