/** Closes idle connections whose time is over, apart from the path of any session. */
import type { Pool } from './pool.ts'
import type { PoolConfig } from '@imapfleet/config'

/** One round; call it each second. The idle set is in the order of idleness, so that most rounds look at one. */
export function reap(pool: Pool, config: PoolConfig, now: number): void {
  for (const upstream of pool.states.idle) {
    if (now - upstream.since <= config.idleTimeoutMs) break
    pool.drop(upstream, 'idle-timeout')
  }
}
