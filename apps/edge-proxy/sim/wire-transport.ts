/**
 * The transport over a wire in memory, besides the transports over handles and sockets of Node. Borrowed bytes are overwritten
 * after each call, so that a handler that keeps them is detected.
 */
import type { Socket } from 'node:net'
import type { Link, OpenTransport, Transport } from '../src/net/link.ts'
import { runtime, type Timer } from '../src/runtime.ts'
import type { WireEnd, WireHandler } from './wire.ts'

export const overWire =
  (end: WireEnd): OpenTransport =>
  (link) =>
    new WireTransport(end, link)

class WireTransport implements Transport, WireHandler {
  readonly #end: WireEnd
  readonly #link: Link
  /** Bytes that may be queued before the writer has to wait. */
  readonly #queuedBytesMax: number
  #isFull = false
  #isReading = false
  #unshifted: Buffer | undefined
  #closeTimer: Timer | undefined
  #isClosed = false
  #onClosed: (() => void) | undefined

  constructor(end: WireEnd, link: Link) {
    this.#end = end
    this.#link = link
    this.#queuedBytesMax = end.wire.chance.pick([0, 500, 4000, 65_536])
    end.handler = this
    this.resume()
  }

  get remoteAddress(): string {
    return this.#end.isOpen ? this.#end.remoteAddress : ''
  }

  get queuedBytes(): number {
    return this.#end.queuedBytes
  }

  write(bytes: Buffer | string): boolean {
    if (this.#isClosed || this.#closeTimer) return true
    if (!this.#end.isOpen) {
      runtime.soon(() => this.#endBy('reset-by-peer'))
      return true
    }
    this.#end.write(typeof bytes === 'string' ? bytes : Buffer.from(bytes))
    if (this.#end.queuedBytes > this.#queuedBytesMax) this.#isFull = true
    return !this.#isFull
  }

  pause(): void {
    this.#isReading = false
    this.#end.pause()
  }

  resume(): void {
    if (this.#isReading || this.#isClosed || this.#closeTimer) return
    this.#isReading = true
    if (this.#unshifted === undefined) this.#end.resume()
    else runtime.soon(() => this.#deliverUnshifted())
  }

  unshift(bytes: Buffer): void {
    this.pause()
    if (bytes.length > 0) this.#unshifted = bytes
  }

  close(): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#isReading = false
    runtime.cancel(this.#closeTimer)
    this.#end.close()
    this.#onClosed?.()
  }

  closeWhenWritten(timeoutMs: number): void {
    if (this.#isClosed || this.#end.queuedBytes === 0) return this.close()
    this.pause()
    this.#closeTimer = runtime.after(timeoutMs, () => this.close())
  }

  detach(): Socket {
    throw new Error('a simulated connection has no socket')
  }

  whenClosed(callback: () => void): void {
    this.#onClosed = callback
  }

  onBytes(bytes: Buffer): void {
    if (!this.#link.borrows) return this.#link.onData(Buffer.from(bytes))
    const lent = Buffer.from(bytes)
    this.#link.onData(lent)
    lent.fill(0x58)
  }

  onFinish(): void {
    this.#link.onHalfClose()
  }

  onReset(): void {
    this.#endBy('reset-by-peer')
  }

  onDrain(): void {
    if (this.#isClosed) return
    if (this.#closeTimer) return this.close()
    if (!this.#isFull) return
    this.#isFull = false
    this.#link.onDrain()
  }

  #deliverUnshifted(): void {
    const bytes = this.#unshifted
    if (!this.#isReading || bytes === undefined) return
    this.#unshifted = undefined
    this.#end.resume()
    this.#link.onData(bytes)
  }

  #endBy(end: 'reset-by-peer'): void {
    if (this.#isClosed) return
    if (this.#closeTimer) this.close()
    else this.#link.onEnd(end)
  }
}
