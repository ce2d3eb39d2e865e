/** What carries a link's bytes: a socket of Node's, with or without TLS, or a TCP handle beneath one. */
import type { Socket } from 'node:net'

/** Why a link is no more, in the edge's words; raw socket errors end here. */
export type LinkEnd =
  | 'closed-by-peer'
  | 'reset-by-peer'
  | 'timed-out'
  | 'tls-failed'
  | 'closed-here'
  /** Whoever held it threw: a mistake of the edge's own. Nothing is known of what it was about. */
  | 'failed-here'

/** What a carrier tells its link. Never called from within a call of the link's. */
export interface TransportEvents {
  /** Whether bytes are looked at and passed on within `onData`, so that they can be lent (slab.ts). */
  readonly borrows: boolean
  /** The buffer belongs to whoever hears of it, unless they borrow. */
  onData(bytes: Buffer): void
  onDrain(): void
  /** The peer sends no more but may still read. */
  onFinish(): void
  onEnd(end: LinkEnd): void
}

export interface Transport {
  readonly remoteAddress: string
  /** False: the peer reads slowly; `onDrain` follows. */
  write(bytes: Buffer | string): boolean
  pause(): void
  resume(): void
  /** Puts bytes back to be delivered again; reading stops until `resume`. */
  unread(bytes: Buffer): void
  /** Closes at once and says nothing any more. */
  destroy(): void
  /** The same when all that was written has left, or after so long. */
  finish(timeoutMs: number): void
  /** Gives up the raw socket, paused, with what came and was not delivered in it; says nothing any more. */
  detach(): Socket
  /** Calls back once when the connection is closed, by whomever. */
  whenClosed(callback: () => void): void
}

/** Begins to carry a link's bytes. */
export type OpenTransport = (events: TransportEvents) => Transport

/** A raw socket error in the edge's words. */
export function endOf(code: string): LinkEnd {
  if (code === 'ETIMEDOUT') return 'timed-out'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset-by-peer'
  return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') ? 'tls-failed' : 'closed-by-peer'
}
