/** Why a connection may not serve another session, whatever a proof of its state might say. Pure. */
import type { PoolConfig } from '@imapfleet/config'
import type { Server } from '../server/server.ts'
import type { ServerConnection } from '../server/server-connection.ts'

export type Unfit =
  | 'revoked'
  | 'credentials-expired'
  | 'too-old'
  | 'used-up'
  | 'idle-timeout'
  | 'config-changed'
  | 'unfinished-reply'
  | 'closed-by-peer'

/** Its time is over, after a session or before one. */
export function outlived(upstream: ServerConnection, config: PoolConfig, now: number): Unfit | undefined {
  if (upstream.expiresAt <= now) return upstream.expiresAt === 0 ? 'revoked' : 'credentials-expired'
  if (now - upstream.bornAt > config.lifetimeMaxMs) return 'too-old'
  return upstream.uses >= config.usesMax ? 'used-up' : undefined
}

/** An idle connection that should not be handed out to a session on this target. */
export function unfitToLease(
  idle: ServerConnection,
  server: Server,
  config: PoolConfig,
  now: number,
): Unfit | undefined {
  if (idle.generation !== server.generation) return 'config-changed'
  // Half a response would swallow the begin of the next one.
  if (!idle.scanner.atBoundary) return 'unfinished-reply'
  return now - idle.lastUsedAt > config.idleTimeoutMs ? 'idle-timeout' : outlived(idle, config, now)
}

/** What has become of it since its proof, whose promise settles a moment after the last byte was seen. */
export function spoiled(upstream: ServerConnection): string | undefined {
  return upstream.link.isOpen ? upstream.session.spoilReason : 'closed-by-peer'
}
