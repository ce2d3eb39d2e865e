/** Why a connection may not serve another session, regardless of a proof of its state. */
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
 * The connection must not be kept after its session, and is no proof that its secret is right.
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

/** The idle connection must not stay. */
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

/** The idle connection must not be leased. */
export function unfitToLease(
  idle: ServerConnection,
  generation: number | undefined,
  pool: PoolConfig,
  clock: PoolClock,
): Unfit | undefined {
  // The rest of a partial response would be taken for the beginning of the next one.
  return idle.scanner.atBoundary ? unfitToRest(idle, generation, pool, clock) : 'unfinished-reply'
}
