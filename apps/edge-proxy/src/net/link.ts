/**
 * One end of one connection: bytes in, bytes out, closed once. Whoever holds the link sets `handler`; nothing is
 * queued for a handler that is not there, so there always is one.
 */
import { channel } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import type { Transport, TransportEvents, LinkEnd, OpenTransport } from './transport.ts'

export type { LinkEnd } from './transport.ts'

export interface LinkHandler {
  /** True: keeps nothing of what `onData` brings when it returns, but for what it has written to a link. */
  readonly borrows?: boolean
  /** Bytes as they came. The buffer belongs to the handler, unless it borrows. */
  onData(bytes: Buffer): void
  /** All that was written has left this process. */
  onDrain(): void
  /** Called once, after which nothing else is. Not called when the link was closed from here. */
  onEnd(end: LinkEnd): void
  /** The peer sends no more but may still read. True: go on writing; false or absent: the link ends. */
  onFinish?(): boolean
}

/** Errors that handlers threw. While nobody subscribes they are thrown on. */
export const linkFailures = channel('imapfleet.link-failed')

const nobody: LinkHandler = { onData() {}, onDrain() {}, onEnd() {} }

export class Link implements TransportEvents {
  handler: LinkHandler = nobody
  #carrier: Transport
  #ended = false

  constructor(open: OpenTransport) {
    this.#carrier = open(this)
  }

  get remoteAddress(): string {
    return this.#carrier.remoteAddress
  }

  get isOpen(): boolean {
    return !this.#ended
  }

  /** False: the peer reads slowly; wait for `onDrain` before more. */
  write(bytes: Buffer | string): boolean {
    return this.#ended || this.#carrier.write(bytes)
  }

  /** Stops reading, so that the peer's writes come to a halt. */
  pause(): void {
    this.#carrier.pause()
  }

  resume(): void {
    this.#carrier.resume()
  }

  /** Puts bytes back to be delivered again, and stops reading until `resume` or another carrier. */
  unread(bytes: Buffer): void {
    this.#carrier.unread(bytes)
  }

  /** Closes at once; what was written and has left the process still arrives. */
  close(): void {
    if (this.#ended) return
    this.#silence()
    this.#carrier.destroy()
  }

  /** Closes when everything written has left. */
  closeWhenWritten(timeoutMs: number): void {
    if (this.#ended) return
    this.#silence()
    this.#carrier.finish(timeoutMs)
  }

  /** Calls back once when the connection that carries the link now is closed, by whomever. */
  whenClosed(callback: () => void): void {
    this.#carrier.whenClosed(callback)
  }

  /**
   * Hands over the raw socket, for a TLS handshake on it; the link is silent until `attach`. Bytes that have come and
   * were not delivered stay in the socket (`readableLength`).
   */
  detach(): Socket {
    return this.#carrier.detach()
  }

  /** Goes on over another carrier, such as the TLS socket made over the detached one. */
  attach(open: OpenTransport): void {
    this.#carrier = open(this)
    // Closed while the socket was away: nobody would close what carries it now.
    if (this.#ended) this.#carrier.destroy()
  }

  get borrows(): boolean {
    return this.handler.borrows === true
  }

  onData(bytes: Buffer): void {
    try {
      this.handler.onData(bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  onDrain(): void {
    try {
      this.handler.onDrain()
    } catch (error) {
      this.#fail(error)
    }
  }

  onFinish(): void {
    try {
      if (this.handler.onFinish?.()) return
    } catch (error) {
      return this.#fail(error)
    }
    this.onEnd('closed-by-peer')
  }

  onEnd(end: LinkEnd): void {
    if (this.#ended) return
    const { handler } = this
    this.#silence()
    this.#carrier.destroy()
    try {
      handler.onEnd(end)
    } catch (error) {
      this.#fail(error)
    }
  }

  /** A mistake in the work on one connection ends that connection and no other. */
  #fail(error: unknown): void {
    if (!linkFailures.hasSubscribers) throw error
    linkFailures.publish(error)
    this.onEnd('failed-here')
  }

  #silence(): void {
    this.#ended = true
    this.handler = nobody
  }
}
