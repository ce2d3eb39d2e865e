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

/** The connection has reached a limit of age, uses or credentials. */
export function expired(connection: ServerConnection, config: PoolConfig, now: number): Unfit | undefined {
  if (connection.isRevoked) return 'revoked'
  if (connection.expiresAt <= now) return 'credentials-expired'
  if (now - connection.openedAt > config.lifetimeMaxMs) return 'too-old'
  return connection.uses >= config.usesMax ? 'used-up' : undefined
}

/** The idle connection must not be leased to a session of this server. */
export function unfitToLease(
  idle: ServerConnection,
  server: Server,
  config: PoolConfig,
  now: number,
): Unfit | undefined {
  if (idle.generation !== server.generation) return 'config-changed'
  // Half a response would swallow the beginning of the next one.
  if (!idle.scanner.atBoundary) return 'unfinished-reply'
  return now - idle.lastUsedAt > config.idleTimeoutMs ? 'idle-timeout' : expired(idle, config, now)
}

/** What happened to the connection after its proof: the promise of a proof settles later than its last byte arrives. */
export function spoiledSinceProof(connection: ServerConnection): string | undefined {
  return connection.link.isOpen ? connection.session.spoilReason : 'closed-by-peer'
}
