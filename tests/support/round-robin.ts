/**
 * A load balancer in front of replicas of control. Each request goes to the next replica, or to another one if that refuses
 * the connection. A request that a replica accepted is not sent again.
 */
import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { ControlProcess } from '@imapfleet/local'

export class RoundRobin {
  readonly #server: Server
  readonly #replicas: readonly ControlProcess[]
  #turn = 0
  /** The replica that got the last request. */
  last: ControlProcess | undefined

  private constructor(server: Server, replicas: readonly ControlProcess[]) {
    this.#server = server
    this.#replicas = replicas
    server.on('request', (asked, answer) => this.#pass(asked, answer, replicas.length))
  }

  static async before(replicas: readonly ControlProcess[]): Promise<RoundRobin> {
    const server = createServer()
    const balancer = new RoundRobin(server, replicas)
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return balancer
  }

  get api(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  close(): void {
    this.#server.close()
    this.#server.closeAllConnections()
  }

  #pass(asked: IncomingMessage, answer: ServerResponse, tries: number): void {
    const replica = this.#replicas[this.#turn++ % this.#replicas.length]!
    const passed = request(`${replica.api}${asked.url}`, {
      method: asked.method ?? 'GET',
      headers: asked.headers,
      agent: false,
    })
    passed.once('socket', (socket) =>
      socket.once('connect', () => {
        this.last = replica
        asked.pipe(passed)
      }),
    )
    passed.once('response', (given) => {
      answer.writeHead(given.statusCode ?? 502, given.headers)
      given.pipe(answer)
    })
    passed.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ECONNREFUSED' && tries > 1) this.#pass(asked, answer, tries - 1)
      else if (answer.headersSent) answer.destroy()
      else answer.writeHead(502).end('{}')
    })
  }
}
