/** For tests: real connections over loopback. The edge's end is a Link; a Peer sends and reads lines at the other end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { after } from 'node:test'
import { overHandle } from './handle-transport.ts'
import { Link, type LinkEnd, type OpenTransport } from './link.ts'
import { overSocket } from './socket-transport.ts'
import { takeHandle } from './tcp-handle.ts'

/** Long, because only a failing test waits for it, and the machine may be busy. */
const timeoutMs = 15_000

/** The other end of a connection. A wait never hangs: it fails, and shows the bytes that have arrived. */
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

  /** Bytes that arrived and were not read. */
  get unread(): string {
    return this.#unread
  }

  get isOpen(): boolean {
    return this.#state !== 'closed'
  }

  say(text: string): void {
    this.socket.write(text, 'latin1')
  }

  /** Reads everything up to the end of this text. */
  until(text: string): Promise<string> {
    return this.#when(JSON.stringify(text), () => {
      const end = this.#unread.indexOf(text)
      return end < 0 ? undefined : this.#take(end + text.length)
    })
  }

  /** Reads the next line, without its line end. */
  async line(): Promise<string> {
    return (await this.until('\r\n')).slice(0, -2)
  }

  /** Reads this number of bytes. */
  bytes(count: number): Promise<string> {
    return this.#when(`${count} bytes`, () => (this.#unread.length < count ? undefined : this.#take(count)))
  }

  /** Waits until the other side has closed its sending side, and reads the rest. */
  finished(): Promise<string> {
    return this.#when('an end', () => (this.#state === 'open' ? undefined : this.#take(Infinity)), true)
  }

  /** Waits until the other side has closed the connection, and reads the rest. */
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
    const timer = setTimeout(fail, timeoutMs, 'silence')
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

/** Listens on a free port until the test ends. Then every connection is closed. */
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

/** A connection to `port`. */
export function dialPeer(port: number): Peer {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: true })
  after(() => socket.destroy())
  return new Peer(socket)
}

/** The transports of a link, which must behave the same. */
export const transports = ['socket', 'handle'] as const
export type TransportKind = (typeof transports)[number]

function open(over: TransportKind, socket: Socket): OpenTransport {
  if (over === 'socket') return overSocket(socket)
  const handle = takeHandle(socket)
  assert.ok(handle, 'this Node has no TCP handles that the edge can use')
  return overHandle(handle)
}

/** An accepted link, and the client at its other end. */
export async function acceptedLink(
  over: TransportKind = 'socket',
): Promise<{ link: Link; peer: Peer; socket: Socket }> {
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const peer = dialPeer(await listen(resolve))
  const socket = await promise
  const link = new Link(open(over, socket))
  after(() => link.close())
  return { link, peer, socket }
}

/** A dialed link, and the server at its other end. */
export async function dialedLink(
  over: TransportKind = 'socket',
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

/** Records what a link receives: the bytes as text, and the end. */
export function hear(link: Link): { text: () => string; end: Promise<LinkEnd> } {
  const { promise, resolve } = Promise.withResolvers<LinkEnd>()
  let text = ''
  link.handler = { onData: (bytes) => (text += bytes.toString('latin1')), onEnd: resolve }
  return { text: () => text, end: promise }
}

/** Stops this process long enough to count as a pause. Bytes of peers wait in the kernel. */
export function pauseProcess(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2_500)
}
