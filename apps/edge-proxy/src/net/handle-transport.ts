/**
 * The transport for plain TCP: Node's TCP handle, without a stream or socket on top of it (docs/adr/0007-tcp-handles.md).
 * All handles read into one buffer. Buffers and streams for each connection would use more CPU time than the rest of the edge.
 */
import { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { runtime, type Timer } from '../runtime.ts'
import type { Link, OpenTransport, Transport } from './link.ts'
import { borrowedCopy, ownedCopy, retain } from './read-buffers.ts'
import { linkEndOf } from './socket-errors.ts'
import { tcpBinding, type TcpBinding, type TcpHandle, type WriteRequest } from './tcp-handle.ts'

/** Bytes that may be queued for writing before the writer is asked to wait. */
const queuedBytesMax = 65_536
const endOfFile = -4095

/** The buffer for all reads of all handles. Each read is copied before the next one. */
const readBuffer = Buffer.allocUnsafeSlow(65_536)

/** Smaller reads are never borrowed, because that would save nothing. */
const borrowedBytesMin = 1024

export const overHandle =
  (handle: TcpHandle): OpenTransport =>
  (link) =>
    new HandleTransport(handle, tcpBinding!, link)

/** Reused by writes that the kernel completes immediately, which are nearly all. */
let reusableRequest: WriteRequest | undefined

class HandleTransport implements Transport {
  readonly #handle: TcpHandle
  readonly #binding: TcpBinding
  readonly #link: Link
  #reading = false
  /** Bytes that were put back. */
  #unshifted: Buffer | undefined
  /** Writes that the kernel has not completed. */
  #pendingWrites = 0
  #isFull = false
  #closeTimer: Timer | undefined
  #closed = false
  /** The socket that has owned the handle since `detach`. */
  #detached: Socket | undefined
  #onClosed: (() => void) | undefined

  constructor(handle: TcpHandle, binding: TcpBinding, link: Link) {
    this.#handle = handle
    this.#binding = binding
    this.#link = link
    handle.useUserBuffer(readBuffer)
    handle.onread = () => this.#onRead()
    this.resume()
  }

  get remoteAddress(): string {
    const name: { address?: string } = {}
    return this.#closed || this.#handle.getpeername(name) !== 0 ? '' : (name.address ?? '')
  }

  get queuedBytes(): number {
    return this.#closed ? 0 : this.#handle.writeQueueSize
  }

  write(bytes: Buffer | string): boolean {
    if (this.#closed || this.#closeTimer) return true
    const request = (reusableRequest ??= this.#binding.newWriteRequest())
    const handle = this.#handle
    const error =
      typeof bytes === 'string'
        ? handle.writeLatin1String(request, bytes)
        : handle.writeBuffer(request, bytes)
    if (error !== 0) {
      // Deferred, because no caller expects a link to end during a write.
      runtime.soon(() => this.#end(error))
      return true
    }
    if (!this.#binding.lastWriteIsPending()) return true
    reusableRequest = undefined
    if (typeof bytes !== 'string') {
      request.buffer = bytes
      retain(bytes)
    }
    request.oncomplete = (status) => this.#onWritten(status)
    this.#pendingWrites++
    // Full until all bytes are written, so that a writer that must wait gets onDrain even if a later write is small.
    if (handle.writeQueueSize > queuedBytesMax) this.#isFull = true
    return !this.#isFull
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#reading || this.#closed || this.#closeTimer) return
    this.#reading = true
    if (this.#unshifted === undefined) this.#handle.readStart()
    else runtime.soon(() => this.#deliverUnshifted())
  }

  unshift(bytes: Buffer): void {
    this.pause()
    if (bytes.length > 0) this.#unshifted = bytes
  }

  close(): void {
    if (this.#closed) return void this.#detached?.destroy()
    this.#closed = true
    this.#reading = false
    runtime.cancel(this.#closeTimer)
    this.#handle.close()
    this.#onClosed?.()
  }

  closeWhenWritten(timeoutMs: number): void {
    if (this.#pendingWrites === 0 || this.#closed) return this.close()
    this.pause()
    this.#closeTimer = runtime.after(timeoutMs, () => this.close())
  }

  detach(): Socket {
    this.pause()
    this.#closed = true
    const socket = new Socket({ handle: this.#handle, allowHalfOpen: true } as object)
    if (this.#unshifted) socket.unshift(this.#unshifted)
    const onClosed = this.#onClosed
    if (onClosed) socket.once('close', onClosed)
    this.#detached = socket
    return socket
  }

  whenClosed(callback: () => void): void {
    this.#onClosed = callback
  }

  #onRead(): void {
    const length = this.#binding.lastReadResult()
    if (length >= borrowedBytesMin && this.#link.borrows) this.#link.onData(borrowedCopy(readBuffer, length))
    else if (length > 0) this.#link.onData(ownedCopy(readBuffer, length))
    else if (length === endOfFile) this.#link.onHalfClose()
    else if (length < 0) this.#end(length)
  }

  #deliverUnshifted(): void {
    const bytes = this.#unshifted
    if (!this.#reading || bytes === undefined) return
    this.#unshifted = undefined
    this.#handle.readStart()
    this.#link.onData(bytes)
  }

  #onWritten(status: number): void {
    this.#pendingWrites--
    if (this.#closed) return
    if (status < 0) return this.#end(status)
    if (this.#pendingWrites > 0) return
    if (this.#closeTimer) return this.close()
    if (!this.#isFull) return
    this.#isFull = false
    this.#link.onDrain()
  }

  #end(error: number): void {
    if (this.#closed) return
    if (this.#closeTimer) this.close()
    else this.#link.onEnd(linkEndOf(getSystemErrorName(error)))
  }
}
