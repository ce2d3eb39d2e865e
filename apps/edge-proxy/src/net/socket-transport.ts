/** Carries a link over a socket of Node's: TLS, and everything that is seldom. */
import type { Socket } from 'node:net'
import { endOf, type Transport, type TransportEvents, type OpenTransport } from './transport.ts'
import { keep } from './slab.ts'

export const overSocket =
  (socket: Socket): OpenTransport =>
  (events) =>
    new SocketTransport(socket, events)

class SocketTransport implements Transport {
  readonly #socket: Socket
  readonly #onData: (bytes: Buffer) => void
  readonly #onDrain: () => void
  readonly #onFinish: () => void
  readonly #onError: (error: NodeJS.ErrnoException) => void
  readonly #onClose: () => void

  constructor(socket: Socket, events: TransportEvents) {
    this.#socket = socket
    this.#onData = (bytes) => events.onData(bytes)
    this.#onDrain = () => events.onDrain()
    this.#onFinish = () => events.onFinish()
    this.#onError = (error) => events.onEnd(endOf(error.code ?? ''))
    this.#onClose = () => events.onEnd('closed-by-peer')
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onFinish)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  write(bytes: Buffer | string): boolean {
    const socket = this.#socket
    if (typeof bytes === 'string') return socket.write(bytes, 'latin1')
    const isTaken = socket.write(bytes)
    if (socket.writableLength > 0) keep(bytes)
    return isTaken
  }

  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  unread(bytes: Buffer): void {
    this.#socket.pause()
    if (bytes.length > 0) this.#socket.unshift(bytes)
  }

  destroy(): void {
    this.#socket.destroy()
  }

  /** destroy() after a flushed write costs one system call less than end(); TLS needs end() for its close_notify. */
  finish(timeoutMs: number): void {
    const socket = this.#socket
    if (socket.writableLength === 0 && !('encrypted' in socket)) return this.destroy()
    socket.setTimeout(timeoutMs, () => socket.destroy())
    socket.end(() => socket.destroy())
  }

  detach(): Socket {
    const socket = this.#socket
    socket.pause()
    socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onFinish)
    socket.off('error', this.#onError).off('close', this.#onClose)
    return socket
  }

  whenClosed(callback: () => void): void {
    this.#socket.once('close', callback)
  }
}
