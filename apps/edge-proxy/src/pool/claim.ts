/** A login that wants a connection, as the room for connections knows it. */
import type { ServerConnection } from '../server/server-connection.ts'
import type { Ask } from './lease.ts'
import type { Claim } from './room.ts'
import type { States } from './states.ts'
import { fits, type Warm } from './warm.ts'

export interface Claimed {
  readonly states: States
  readonly warm: Warm
  /** Whether idle connections are handed out at present. */
  reuses(): boolean
  now(): number
  makeRoom(idle: ServerConnection): void
}

export function claimOf({ server, wanted, asker }: Ask, pool: Claimed): Claim {
  const { identity } = wanted
  const idle = {
    user: () => pool.warm.idleOf(identity),
    upstream: () => pool.states.idleAt(server.name),
  }
  return {
    upstream: server.name,
    identity,
    limits: server.config,
    isWanted: () => asker.isThere,
    isProven: () => pool.warm.knows(wanted, server.generation, pool.now()),
    fits: (upstream) => pool.reuses() && upstream.identity === identity && fits(upstream, wanted),
    idle: (of) => (of === 'user' ? idle.user().length : idle.upstream().size),
    free: (of) => {
      const oldest = idleForLongest(idle[of]())
      if (oldest) pool.makeRoom(oldest)
    },
  }
}

function idleForLongest(idle: Iterable<ServerConnection>): ServerConnection | undefined {
  let oldest: ServerConnection | undefined
  for (const upstream of idle)
    if (oldest === undefined || upstream.lastUsedAt < oldest.lastUsedAt) oldest = upstream
  return oldest
}
