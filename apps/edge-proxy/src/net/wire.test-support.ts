/** For tests: real connections over loopback. Our end is a Link; the far end is talked with line by line. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after } from 'node:test'
import type { LinkEnd, OpenTransport } from './transport.ts'
import { overHandle } from './handle-transport.ts'
import { Link } from './link.ts'
import { overSocket } from './socket-transport.ts'
import { takeHandle } from './tcp-handle.ts'

/** Long, because it is waited for only where a test fails, and the machine may have much else to do. */
const patienceMs = 15_000

/** The far end of a connection. What is awaited fails with what had come instead, and never hangs. */
export class Peer {
  readonly socket: Socket
  #unread = ''
  #state: 'open' | 'finished' | 'closed' = 'open'
  readonly #watchers = new Set<() => void>()

  constructor(socket: Socket) {
    this.socket = socket
    const change = (state?: 'finished' | 'closed') => {
      if (state) this.#state = state
      for (const look of this.#watchers) look()
    }
    socket.on('data', (bytes: Buffer) => {
      this.#unread += bytes.toString('latin1')
      change()
    })
    socket.on('end', () => change('finished'))
    socket.on('close', () => change('closed'))
    socket.on('error', () => {})
  }

  /** What has come and was not read. */
  get unread(): string {
    return this.#unread
  }

  get isOpen(): boolean {
    return this.#state !== 'closed'
  }

  say(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** All that comes up to the end of this text; it is read then. */
  until(text: string): Promise<string> {
    return this.#when(JSON.stringify(text), () => {
      const end = this.#unread.indexOf(text)
      return end < 0 ? undefined : this.#take(end + text.length)
    })
  }

  /** The next line, without its end. */
  async line(): Promise<string> {
    return (await this.until('\r\n')).slice(0, -2)
  }

  /** So many bytes. */
  bytes(count: number): Promise<string> {
    return this.#when(`${count} bytes`, () => (this.#unread.length < count ? undefined : this.#take(count)))
  }

  /** The end of the other side's sending; all that was not read before. */
  finished(): Promise<string> {
    return this.#when('an end', () => (this.#state === 'open' ? undefined : this.#take(Infinity)), true)
  }

  /** The end of the connection, begun by the other side; all that was not read before. */
  async closed(): Promise<string> {
    const rest = await this.finished()
    this.socket.end()
    await this.#when('a close', () => this.#state === 'closed' || undefined, true)
    return rest
  }

  #take(count: number): string {
    const taken = this.#unread.slice(0, count)
    this.#unread = this.#unread.slice(count)
    return taken
  }

  async #when<T>(what: string, look: () => T | undefined, evenClosed = false): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>()
    const fail = (why: string) =>
      reject(new Error(`${why} instead of ${what}; unread: ${JSON.stringify(this.#unread.slice(-500))}`))
    const timer = setTimeout(fail, patienceMs, 'silence')
    const watcher = () => {
      const found = look()
      if (found !== undefined) resolve(found)
      else if (this.#state !== 'open' && !evenClosed) fail('the end of the connection')
    }
    this.#watchers.add(watcher)
    watcher()
    return promise.finally(() => {
      clearTimeout(timer)
      this.#watchers.delete(watcher)
    })
  }
}

/** Listens on a free port until the test is over; then every connection is closed. */
export async function listen(onSocket: (socket: Socket) => void, options = {}): Promise<number> {
  const sockets = new Set<Socket>()
  const server: Server = createServer({ allowHalfOpen: true, noDelay: true, ...options }, (socket) => {
    sockets.add(socket)
    onSocket(socket)
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  after(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return (server.address() as AddressInfo).port
}

/** A connection from here to `port`. */
export function dialPeer(port: number): Peer {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  after(() => socket.destroy())
  return new Peer(socket)
}

/** What may carry a link; each has to behave like the others. */
export const carriers = ['socket', 'handle'] as const
export type CarrierKind = (typeof carriers)[number]

function open(over: CarrierKind, socket: Socket): OpenTransport {
  if (over === 'socket') return overSocket(socket)
  const handle = takeHandle(socket)
  assert.ok(handle, 'this Node has no handles')
  return overHandle(handle)
}

/** A link as a listener makes it, and the client at its other end. */
export async function acceptedLink(
  over: CarrierKind = 'socket',
): Promise<{ link: Link; peer: Peer; socket: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const peer = dialPeer(await listen(resolve))
  const socket = await promise
  const link = new Link(open(over, socket))
  after(() => link.close())
  return { link, peer, socket }
}

/** A link as it is made by dialing, and the server at its other end. */
export async function dialedLink(
  over: CarrierKind = 'socket',
): Promise<{ link: Link; peer: Peer; socket: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const port = await listen(resolve)
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  after(() => socket.destroy())
  if (over === 'handle') await once(socket, 'connect')
  const link = new Link(open(over, socket))
  after(() => link.close())
  return { link, peer: new Peer(await promise), socket }
}

/** Hears a link: its bytes as text, and its end. */
export function hear(link: Link): { text: () => string; end: Promise<LinkEnd> } {
  const { promise, resolve } = Promise.withResolvers<LinkEnd>()
  let text = ''
  link.handler = { onData: (bytes) => (text += bytes.toString('latin1')), onDrain() {}, onEnd: resolve }
  return { text: () => text, end: promise }
}
