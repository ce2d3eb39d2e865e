/** Reasons why a connection must not serve another session, even if it is proven clean. */
import type { PoolConfig } from '@imapfleet/config'
import type { DistrustReason, ServerConnection } from '../server/server-connection.ts'
import type { PoolClock } from './lease.ts'

/** A label value of `reuse_refused_total` or `upstream_drops_total`. */
export type Unfit =
  | DistrustReason
  | 'config-changed'
  | 'credentials-expired'
  | 'too-old'
  | 'used-up'
  | 'idle-timeout'
  | 'unfinished-reply'

/**
 * Why the connection must not be kept after its session. Such a connection also does not prove that its secret is right.
 * @param generation `Server.generation` of the settings in force; undefined: the server is no longer configured
 */
export function unfitToKeep(
  connection: ServerConnection,
  generation: number | undefined,
  pool: PoolConfig,
  clock: PoolClock,
): Unfit | undefined {
  if (connection.generation !== generation) return 'config-changed'
  if (connection.distrustReason !== undefined) return connection.distrustReason
  if (connection.expiresAt <= clock.wall()) return 'credentials-expired'
  if (clock.now() - connection.openedAt > pool.lifetimeMaxMs) return 'too-old'
  return connection.uses >= pool.usesMax ? 'used-up' : undefined
}

/** Why the idle connection must be closed. */
export function unfitToRest(
  idle: ServerConnection,
  generation: number | undefined,
  pool: PoolConfig,
  clock: PoolClock,
): Unfit | undefined {
  return clock.now() - idle.lastUsedAt > pool.idleTimeoutMs
    ? 'idle-timeout'
    : unfitToKeep(idle, generation, pool, clock)
}

/** Why the idle connection must not be leased. */
export function unfitToLease(
  idle: ServerConnection,
  generation: number | undefined,
  pool: PoolConfig,
  clock: PoolClock,
): Unfit | undefined {
  // The client would read the rest of an incomplete response as a new response.
  return idle.scanner.atBoundary ? unfitToRest(idle, generation, pool, clock) : 'unfinished-reply'
}
