/**
 * A link is the edge's end of one connection, with or without TLS. It reads and writes bytes, and is closed once. Its handler
 * gets the events. The handler changes during the life of a connection (login, splice, reset, idle), but there is always a
 * handler, because events are not queued. A link uses a transport, which is a TCP handle or a socket.
 */
import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'

/** Why a link ended. socket-errors.ts translates raw socket errors to these. */
export type LinkEnd =
  | 'closed-by-peer'
  | 'reset-by-peer'
  | 'timed-out'
  | 'tls-failed'
  /** The edge closed the link while its handler waited for the peer. */
  | 'closed-here'
  /** A handler threw, which is a bug in the edge. Its state is unknown. */
  | 'failed-here'

export interface LinkHandler {
  /** True: `onData` does not keep the bytes after the call, except by writing them to a link (read-buffers.ts). */
  readonly borrows?: boolean
  /** Received bytes. The handler may keep them unless it borrows. */
  onData(bytes: Buffer): void
  /** All written bytes have left this process. */
  onDrain?(): void
  /** The peer has finished sending but may still read. True: keep writing. False or absent: the link ends. */
  onHalfClose?(): boolean
  /** The last event. There is none if the edge closed the link. */
  onEnd(end: LinkEnd): void
}

/**
 * Carries the bytes of a link. It calls `onData`, `onDrain`, `onHalfClose` and `onEnd` of the link, but never during a call
 * from the link.
 */
export interface Transport {
  readonly remoteAddress: string
  /** Written bytes that have not left this process. */
  readonly queuedBytes: number
  /**
   * False: the peer reads slowly, and `onDrain` will follow.
   * @param bytes a string is written as ISO 8859-1 (latin1), one byte for each character
   */
  write(bytes: Buffer | string): boolean
  pause(): void
  resume(): void
  /** Puts bytes back, to be delivered again, and pauses. */
  unshift(bytes: Buffer): void
  /** Closes immediately. */
  close(): void
  /** Closes after all written bytes have left this process, or after the timeout. */
  closeWhenWritten(timeoutMs: number): void
  /** Hands over the paused socket, which still has received bytes that were not delivered. No event follows. */
  detach(): Socket
  /** Calls back once, when the connection is closed by either side. */
  whenClosed(callback: () => void): void
}

/** Creates the transport of a link. */
export type OpenTransport = (link: Link) => Transport

/** Publishes errors that handlers threw. Without a subscriber they are thrown again. */
export const linkFailures = channel('imapfleet.link-failed')

const noHandler: LinkHandler = { onData() {}, onEnd() {} }

export class Link {
  handler: LinkHandler = noHandler
  #transport: Transport
  #ended = false

  constructor(open: OpenTransport) {
    this.#transport = open(this)
  }

  get remoteAddress(): string {
    return this.#transport.remoteAddress
  }

  get isOpen(): boolean {
    return !this.#ended
  }

  /** Written bytes that have not left this process. */
  get queuedBytes(): number {
    return this.#ended ? 0 : this.#transport.queuedBytes
  }

  /**
   * False: the peer reads slowly. Wait for `onDrain` before writing more.
   * @param bytes a string is written as ISO 8859-1 (latin1), one byte for each character
   */
  write(bytes: Buffer | string): boolean {
    return this.#ended || this.#transport.write(bytes)
  }

  /** Stops reading, so that the peer has to stop writing. */
  pause(): void {
    this.#transport.pause()
  }

  resume(): void {
    this.#transport.resume()
  }

  /** Puts bytes back, to be delivered again, and stops reading until `resume` or `attach`. */
  unshift(bytes: Buffer): void {
    this.#transport.unshift(bytes)
  }

  /** Closes immediately. Bytes that have left this process still arrive. */
  close(): void {
    if (this.#ended) return
    this.#endEvents()
    this.#transport.close()
  }

  /** Closes after all written bytes have left this process, or after the timeout. */
  closeWhenWritten(timeoutMs: number): void {
    if (this.#ended) return
    this.#endEvents()
    this.#transport.closeWhenWritten(timeoutMs)
  }

  /** Closes immediately, also while `closeWhenWritten` waits. Calls `onEnd` if the link was open. */
  abort(): void {
    if (this.#ended) this.#transport.close()
    else this.onEnd('closed-here')
  }

  /** Calls back once, when the connection is closed by either side, also after `close`. */
  whenClosed(callback: () => void): void {
    this.#transport.whenClosed(callback)
  }

  /**
   * Hands over the socket, for a TLS handshake on it. There are no events until `attach`, but `close` closes the socket.
   * Bytes that were received but not delivered stay in it (`readableLength`).
   */
  detach(): Socket {
    return this.#transport.detach()
  }

  /** Continues over another transport, such as the TLS socket over the detached one. */
  attach(open: OpenTransport): void {
    this.#transport = open(this)
    // If the link was closed while it was detached, the new transport must be closed here.
    if (this.#ended) this.#transport.close()
  }

  get borrows(): boolean {
    return this.handler.borrows === true
  }

  /** Called by the transport, like the other events. */
  onData(bytes: Buffer): void {
    try {
      this.handler.onData(bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  onDrain(): void {
    try {
      this.handler.onDrain?.()
    } catch (error) {
      this.#fail(error)
    }
  }

  onHalfClose(): void {
    try {
      if (this.handler.onHalfClose?.()) return
    } catch (error) {
      return this.#fail(error)
    }
    this.onEnd('closed-by-peer')
  }

  onEnd(end: LinkEnd): void {
    if (this.#ended) return
    const { handler } = this
    this.#endEvents()
    this.#transport.close()
    try {
      handler.onEnd(end)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A bug in the handling of one connection ends that connection and no other. */
  #fail(error: unknown): void {
    if (!linkFailures.hasSubscribers) throw error
    linkFailures.publish(error)
    this.onEnd('failed-here')
  }

  #endEvents(): void {
    this.#ended = true
    this.handler = noHandler
  }
}
