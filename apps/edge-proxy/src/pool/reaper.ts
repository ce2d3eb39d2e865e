/** Rounds over the idle connections, apart from the path of any session: the old are closed, the unproven proven. */
import type { PoolConfig } from '@imapfleet/config'
import type { Pool } from './pool.ts'

/** How many are proven in one round, so that a server is not asked by all at once. */
const provenPerRound = 100

/** One round; call it each second. */
export function reap(pool: Pool, config: PoolConfig, now: number): void {
  let proven = 0
  for (const upstream of [...pool.states.idle]) {
    if (now - upstream.lastUsedAt > config.idleTimeoutMs) pool.drop(upstream, 'idle-timeout')
    else if (now - upstream.bornAt > config.lifetimeMaxMs) pool.drop(upstream, 'too-old')
    else if (now - upstream.provenAt > config.proveIdleAfterMs * 0.8 && proven++ < provenPerRound)
      void pool.refresh(upstream)
  }
}
