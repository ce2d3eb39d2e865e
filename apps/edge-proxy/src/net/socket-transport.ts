/** The transport over a Node socket, for TLS, and for versions of Node without the handles that the edge uses. */
import type { Socket } from 'node:net'
import { runtime } from '../runtime.ts'
import type { Link, OpenTransport, Transport } from './link.ts'
import { retain } from './read-buffers.ts'
import { linkEndOf } from './socket-errors.ts'

export const overSocket =
  (socket: Socket): OpenTransport =>
  (link) =>
    new SocketTransport(socket, link)

class SocketTransport implements Transport {
  readonly #socket: Socket
  readonly #onData: (bytes: Buffer) => void
  readonly #onDrain: () => void
  readonly #onHalfClose: () => void
  readonly #onError: (error: NodeJS.ErrnoException) => void
  readonly #onClose: () => void

  constructor(socket: Socket, link: Link) {
    this.#socket = socket
    this.#onData = (bytes) => link.onData(bytes)
    this.#onDrain = () => link.onDrain()
    this.#onHalfClose = () => link.onHalfClose()
    this.#onError = (error) => link.onEnd(linkEndOf(error.code ?? ''))
    this.#onClose = () => link.onEnd('closed-by-peer')
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onHalfClose)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  get queuedBytes(): number {
    return this.#socket.writableLength
  }

  write(bytes: Buffer | string): boolean {
    const socket = this.#socket
    if (typeof bytes === 'string') return socket.write(bytes, 'latin1')
    const hasRoom = socket.write(bytes)
    if (socket.writableLength > 0) retain(bytes)
    return hasRoom
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  unshift(bytes: Buffer): void {
    this.#socket.pause()
    if (bytes.length > 0) this.#socket.unshift(bytes)
  }

  close(): void {
    this.#socket.destroy()
  }

  /** destroy() after a flushed write saves a system call compared to end(). TLS needs end() for its close_notify. */
  closeWhenWritten(timeoutMs: number): void {
    const socket = this.#socket
    if (socket.writableLength === 0 && !('encrypted' in socket)) return this.close()
    // The socket's own timeout cannot be used, because it starts again with every byte of the peer.
    const timer = runtime.after(timeoutMs, () => socket.destroy())
    socket.once('close', () => runtime.cancel(timer))
    socket.end(() => socket.destroy())
  }

  detach(): Socket {
    const socket = this.#socket
    socket.pause()
    socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onHalfClose)
    socket.off('error', this.#onError).off('close', this.#onClose)
    return socket
  }

  whenClosed(callback: () => void): void {
    this.#socket.once('close', callback)
  }
}
