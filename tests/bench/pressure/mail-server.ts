/**
 * The mail server of the benchmark: it checks a few logins at a time, as many as it has processes, and at its limit of
 * connections without a login it disconnects the oldest one, as Dovecot does.
 */
import { createServer, type Server, type Socket } from 'node:net'

/** What it can do at a time. */
export interface ServerCapacity {
  /** Logins that are judged at the same time. */
  readonly processes: number
  /** Time for each. */
  readonly loginMs: number
  /** Connections without a login. */
  readonly waitingMax: number
}

/** How its logins go wrong. */
export type Illness = 'closes' | 'slow'

const illLoginMs = 3_000

interface ServerCounts {
  /** Connections, also those that were disconnected. */
  connections: number
  /** At the same time, without a login. */
  waitingPeak: number
  /** Disconnected because too many had no login. */
  displaced: number
  accepted: number
}

const noCounts = (): ServerCounts => ({ connections: 0, waitingPeak: 0, displaced: 0, accepted: 0 })

export class PressedServer {
  readonly address: string
  readonly port: number
  capacity: ServerCapacity
  illness: Illness | undefined
  counts = noCounts()
  #server: Server | undefined
  readonly #sockets = new Set<Socket>()
  /** Without a login, oldest first. */
  readonly #waiting = new Set<Socket>()
  readonly #queue: (() => void)[] = []
  #judging = 0

  constructor(address: string, port: number, capacity: ServerCapacity) {
    this.address = address
    this.port = port
    this.capacity = capacity
  }

  async start(): Promise<void> {
    const server = createServer({ noDelay: true }, (socket) => this.#accept(socket))
    this.#server = server
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host: this.address, port: this.port, backlog: 4096 }, resolve)
    })
  }

  /** Breaks every connection and closes the port. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server?.close(() => resolve()) ?? resolve())
    for (const socket of this.#sockets) socket.resetAndDestroy()
    this.#queue.length = 0
    await closed
  }

  resetCounts(): void {
    this.counts = noCounts()
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket)
    this.#waiting.add(socket)
    this.counts.connections++
    this.counts.waitingPeak = Math.max(this.counts.waitingPeak, this.#waiting.size)
    socket.on('error', () => {})
    socket.on('close', () => {
      this.#sockets.delete(socket)
      this.#waiting.delete(socket)
    })
    if (this.#waiting.size > this.capacity.waitingMax) this.#displaceOldest()
    if (socket.destroyed) return
    socket.write('* OK [CAPABILITY IMAP4rev1 LITERAL+ UNSELECT ID] ready\r\n')
    let rest = ''
    socket.on('data', (bytes) => {
      const lines = (rest + bytes.toString('latin1')).split('\r\n')
      rest = lines.pop() ?? ''
      for (const line of lines) this.#answer(socket, line)
    })
  }

  #displaceOldest(): void {
    const [oldest] = this.#waiting
    this.counts.displaced++
    this.#waiting.delete(oldest!)
    oldest!.end('* BYE Disconnected: Connection queue full\r\n')
  }

  #answer(socket: Socket, line: string): void {
    const [tag, verb = ''] = line.split(' ')
    switch (verb.toUpperCase()) {
      case 'LOGIN':
        return void this.#judge(socket, tag!)
      case 'LOGOUT':
        return void socket.end(`* BYE bye\r\n${tag} OK bye\r\n`)
      case 'CAPABILITY':
        return void socket.write(`* CAPABILITY IMAP4rev1 LITERAL+ UNSELECT ID\r\n${tag} OK done\r\n`)
      default:
        socket.write(`${tag} OK done\r\n`)
    }
  }

  async #judge(socket: Socket, tag: string): Promise<void> {
    if (this.illness === 'closes') return void socket.destroy()
    if (this.illness === 'slow') await pause(illLoginMs)
    else await this.#process()
    if (!this.#waiting.delete(socket) || socket.destroyed) return
    this.counts.accepted++
    socket.write(`${tag} OK [CAPABILITY IMAP4rev1 LITERAL+ UNSELECT ID] Logged in\r\n`)
  }

  /** One process judges a login, also if its connection has gone meanwhile. */
  async #process(): Promise<void> {
    if (this.#judging >= this.capacity.processes) await new Promise<void>((turn) => this.#queue.push(turn))
    else this.#judging++
    await pause(this.capacity.loginMs)
    const next = this.#queue.shift()
    if (next) next()
    else this.#judging--
  }
}

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))
