/**
 * One end of one connection: bytes in, bytes out, closed once. Whoever holds the link sets `handler`; nothing is
 * queued for a handler that is not there, so there always is one.
 */
import type { Socket } from 'node:net'

/** Why a link is no more, in the edge's words; raw socket errors end here. */
export type LinkEnd = 'closed-by-peer' | 'reset-by-peer' | 'timed-out' | 'tls-failed' | 'closed-here'

export interface LinkHandler {
  /** Bytes as they came. The buffer belongs to the handler. */
  onData(bytes: Buffer): void
  /** All that was written has left this process. */
  onDrain(): void
  /** Called once, after which nothing else is. Not called when the link was closed from here. */
  onEnd(end: LinkEnd): void
  /** The peer sends no more but may still read. True: go on writing; false or absent: the link ends. */
  onFinish?(): boolean
}

const nobody: LinkHandler = { onData() {}, onDrain() {}, onEnd() {} }

export class Link {
  handler: LinkHandler = nobody
  #socket: Socket
  #ended = false

  constructor(socket: Socket) {
    this.#socket = socket
    this.#listen(socket)
  }

  get remoteAddress(): string {
    return this.#socket.remoteAddress ?? ''
  }

  get isOpen(): boolean {
    return !this.#ended
  }

  /** False: the peer reads slowly; wait for `onDrain` before more. */
  write(bytes: Buffer | string): boolean {
    if (this.#ended) return true
    return typeof bytes === 'string' ? this.#socket.write(bytes, 'latin1') : this.#socket.write(bytes)
  }

  /** Stops reading, so that the peer's writes come to a halt. */
  pause(): void {
    this.#socket.pause()
  }

  resume(): void {
    this.#socket.resume()
  }

  /** Puts bytes back to be delivered again, and stops reading until `resume` or a new socket. */
  unread(bytes: Buffer): void {
    this.#socket.pause()
    if (bytes.length > 0) this.#socket.unshift(bytes)
  }

  /** Closes at once; what was written and has left the process still arrives. */
  close(): void {
    if (this.#ended) return
    this.#ended = true
    this.handler = nobody
    this.#socket.destroy()
  }

  /**
   * Closes when everything written has left. destroy() after a flushed write costs one system call less than end(); TLS
   * needs end() for its close_notify.
   */
  closeWhenWritten(timeoutMs: number): void {
    if (this.#ended) return
    if (this.#socket.writableLength === 0 && !('encrypted' in this.#socket)) return this.close()
    this.#ended = true
    this.handler = nobody
    this.#socket.setTimeout(timeoutMs, () => this.#socket.destroy())
    this.#socket.end(() => this.#socket.destroy())
  }

  /**
   * Hands over the raw socket, for a TLS handshake on it; the link is silent until `attach`. Bytes that have come and
   * were not delivered stay in the socket (`readableLength`).
   */
  detach(): Socket {
    const socket = this.#socket
    socket.pause()
    socket.off('data', this.#onData).off('drain', this.#onDrain).off('end', this.#onFinish)
    socket.off('error', this.#onError).off('close', this.#onClose)
    return socket
  }

  /** Goes on with another socket, such as the TLS socket made over the detached one. */
  attach(socket: Socket): void {
    this.#socket = socket
    this.#listen(socket)
  }

  readonly #onData = (bytes: Buffer): void => this.handler.onData(bytes)
  readonly #onDrain = (): void => this.handler.onDrain()
  readonly #onFinish = (): void => {
    if (!this.handler.onFinish?.()) this.#end('closed-by-peer')
  }
  readonly #onError = (error: NodeJS.ErrnoException): void => this.#end(endOf(error))
  readonly #onClose = (): void => this.#end('closed-by-peer')

  #listen(socket: Socket): void {
    socket.on('data', this.#onData)
    socket.on('drain', this.#onDrain)
    socket.on('end', this.#onFinish)
    socket.on('error', this.#onError)
    socket.on('close', this.#onClose)
  }

  #end(end: LinkEnd): void {
    if (this.#ended) return
    this.#ended = true
    const { handler } = this
    this.handler = nobody
    this.#socket.destroy()
    handler.onEnd(end)
  }
}

/** A raw socket error in the edge's words. */
export function endOf(error: NodeJS.ErrnoException): LinkEnd {
  const code = error.code ?? ''
  if (code === 'ETIMEDOUT') return 'timed-out'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset-by-peer'
  return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') ? 'tls-failed' : 'closed-by-peer'
}
