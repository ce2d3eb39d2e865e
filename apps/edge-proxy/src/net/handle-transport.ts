/**
 * Carries a link over Node's TCP handle itself: one buffer to read into for all connections, and nothing of a stream's
 * machinery, which costs more than the edge's own work. Plain TCP only.
 */
import { Socket } from 'node:net'
import { getSystemErrorName } from 'node:util'
import { endOf, type Transport, type TransportEvents, type OpenTransport } from './transport.ts'
import { copyOf, keep, lend } from './slab.ts'
import { tcpHandles, type TcpHandle, type TcpHandles, type WriteRequest } from './tcp-handle.ts'

/** Bytes that may wait to be written before the writer is asked to pause. */
const waitingBytesMax = 65_536
const endOfFile = -4095

/** Every read of every handle goes here first, and is copied out before the next. */
const incoming = Buffer.allocUnsafeSlow(65_536)

/** Less is not worth the question who borrows. */
const lentBytesMin = 1024

export const overHandle =
  (handle: TcpHandle): OpenTransport =>
  (events) =>
    new HandleTransport(handle, tcpHandles!, events)

/** Shared by all writes that the kernel takes at once, which nearly all are. */
let spare: WriteRequest | undefined

class HandleTransport implements Transport {
  readonly #handle: TcpHandle
  readonly #node: TcpHandles
  readonly #events: TransportEvents
  #reading = false
  #unread: Buffer | undefined
  /** Writes that the kernel has not finished. */
  #waiting = 0
  #isFull = false
  #finishing: NodeJS.Timeout | undefined
  #closed = false
  #onClosed: (() => void) | undefined

  constructor(handle: TcpHandle, node: TcpHandles, events: TransportEvents) {
    this.#handle = handle
    this.#node = node
    this.#events = events
    handle.useUserBuffer(incoming)
    handle.onread = () => this.#onRead()
    this.resume()
  }

  get remoteAddress(): string {
    const name: { address?: string } = {}
    return this.#closed || this.#handle.getpeername(name) !== 0 ? '' : (name.address ?? '')
  }

  write(bytes: Buffer | string): boolean {
    if (this.#closed || this.#finishing) return true
    const request = (spare ??= this.#node.newWriteRequest())
    const handle = this.#handle
    const error =
      typeof bytes === 'string'
        ? handle.writeLatin1String(request, bytes)
        : handle.writeBuffer(request, bytes)
    if (error !== 0) {
      // Not from within the call: nobody expects a link to end while it is written to.
      process.nextTick(() => this.#end(error))
      return true
    }
    if (!this.#node.lastWriteWaits()) return true
    spare = undefined
    if (typeof bytes !== 'string') {
      request.buffer = bytes
      keep(bytes)
    }
    request.oncomplete = (status) => this.#onWritten(status)
    this.#waiting++
    // Until all has left: whoever was told to wait waits for onDrain, however little is left when more is written.
    if (handle.writeQueueSize > waitingBytesMax) this.#isFull = true
    return !this.#isFull
  }

  pause(): void {
    if (!this.#reading) return
    this.#reading = false
    this.#handle.readStop()
  }

  resume(): void {
    if (this.#reading || this.#closed || this.#finishing) return
    this.#reading = true
    if (this.#unread === undefined) this.#handle.readStart()
    else process.nextTick(() => this.#deliverUnread())
  }

  unread(bytes: Buffer): void {
    this.pause()
    if (bytes.length > 0) this.#unread = bytes
  }

  destroy(): void {
    if (this.#closed) return
    this.#closed = true
    this.#reading = false
    clearTimeout(this.#finishing)
    this.#handle.close()
    this.#onClosed?.()
  }

  finish(timeoutMs: number): void {
    if (this.#waiting === 0 || this.#closed) return this.destroy()
    this.pause()
    this.#finishing = setTimeout(() => this.destroy(), timeoutMs)
  }

  detach(): Socket {
    this.pause()
    this.#closed = true
    const socket = new Socket({ handle: this.#handle, allowHalfOpen: true } as object)
    if (this.#unread) socket.unshift(this.#unread)
    const onClosed = this.#onClosed
    if (onClosed) socket.once('close', onClosed)
    return socket
  }

  whenClosed(callback: () => void): void {
    this.#onClosed = callback
  }

  #onRead(): void {
    const length = this.#node.lastRead()
    if (length >= lentBytesMin && this.#events.borrows) this.#events.onData(lend(incoming, length))
    else if (length > 0) this.#events.onData(copyOf(incoming, length))
    else if (length === endOfFile) this.#events.onFinish()
    else if (length < 0) this.#end(length)
  }

  #deliverUnread(): void {
    const bytes = this.#unread
    if (!this.#reading || bytes === undefined) return
    this.#unread = undefined
    this.#handle.readStart()
    this.#events.onData(bytes)
  }

  #onWritten(status: number): void {
    this.#waiting--
    if (this.#closed) return
    if (status < 0) return this.#end(status)
    if (this.#waiting > 0) return
    if (this.#finishing) return this.destroy()
    if (!this.#isFull) return
    this.#isFull = false
    this.#events.onDrain()
  }

  #end(error: number): void {
    if (this.#closed) return
    if (this.#finishing) this.destroy()
    else this.#events.onEnd(endOf(getSystemErrorName(error)))
  }
}
