/** A receiver of webhooks for unit tests: keeps what it gets, and answers as a test says. */
import { createServer, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Received {
  method: string
  path: string
  headers: IncomingHttpHeaders
  body: string
}

export interface HookListener {
  url: string
  received: Received[]
  /** Returns the status of the answer. 200 by default. */
  answer: (received: Received) => number | Promise<number>
  close: () => Promise<void>
}

export async function hookListener(): Promise<HookListener> {
  const answer = async (received: Received) => await listener.answer(received)
  const server = createServer((request, response) => {
    let body = ''
    request.setEncoding('utf8')
    request.on('data', (text: string) => (body += text))
    request.on('end', () => {
      const received = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body,
      }
      listener.received.push(received)
      void answer(received).then((status) => {
        const isRedirect = status >= 300 && status < 400
        return response.writeHead(status, isRedirect ? { location: '/elsewhere' } : {}).end('answer')
      })
    })
  })
  const { promise, resolve } = Promise.withResolvers<void>()
  server.listen(0, '127.0.0.1', resolve)
  await promise
  const listener: HookListener = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received: [],
    answer: () => 200,
    close: async () => {
      server.closeAllConnections()
      const closed = Promise.withResolvers<void>()
      server.close(() => closed.resolve())
      await closed.promise
    },
  }
  return listener
}
