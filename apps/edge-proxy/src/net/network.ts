/**
 * The network functions that the edge needs: listening, dialing, and looking up names. The default implementation is
 * system-network.ts, and the simulation has one in memory. TLS connections to servers need a socket, so they do not use this
 * interface (dial-tcp.ts).
 */
import type { LookupAddress, LookupAllOptions } from 'node:dns'
import type { ListenerConfig } from '@imapfleet/config'
import type { DialedTcp, TcpDestination } from './dial-tcp.ts'
import type { OpenTransport } from './link.ts'

/** Gets each accepted connection, and the number of its open file; -1: unknown. */
export type OnConnection = (open: OpenTransport, file: number) => void

/** A port that is bound. */
export interface BoundPort {
  /** Number of its open file. Undefined: unknown. */
  readonly file?: number | undefined
  /** Stops accepting connections. Open ones are not affected. */
  close(): void
}

/** All addresses of a host name. */
export type Lookup = (host: string, options: LookupAllOptions) => Promise<Pick<LookupAddress, 'address'>[]>

export interface Network {
  /**
   * Binds the port. Rejects with the error of the system.
   * @param onFailed called when the system could not accept a client
   * @param inherited the open file of a socket that listens there already
   */
  listen(
    config: ListenerConfig,
    onConnection: OnConnection,
    onFailed: (error: unknown) => void,
    inherited?: number,
  ): Promise<BoundPort>
  /** Rejects with the error of the system, or when the signal is aborted. */
  dial(destination: TcpDestination, signal: AbortSignal): Promise<DialedTcp>
  readonly lookup: Lookup
}
