/** For tests: a real HTTP server on a free port that answers each request in turn. */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { after } from 'node:test'

export interface SeenRequest {
  method: string
  path: string
  headers: IncomingMessage['headers']
  body: string
}
export type Responder = (response: ServerResponse, asked: SeenRequest) => void

/** The nth request gets the nth reply; further ones get the last. The server closes at the end of the test file. */
export async function serveInTurn(...replies: Responder[]): Promise<{ server: URL; asked: SeenRequest[] }> {
  const asked: SeenRequest[] = []
  const server = createServer((request, response) => {
    const answer = async () => {
      const { method = '', url: path = '', headers } = request
      const question = { method, path, headers, body: await text(request) }
      asked.push(question)
      replies[Math.min(asked.length, replies.length) - 1]?.(response, question)
    }
    void answer()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  after(() => {
    server.close()
    server.closeAllConnections()
  })
  return { server: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`), asked }
}

export const answerJson =
  (data: unknown, status = 200): Responder =>
  (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(data))

export const refuse = (status: number, code: string, more: object = {}): Responder =>
  answerJson({ type: 'about:blank', title: `Title of ${code}`, status, code, ...more }, status)

export const breakOff: Responder = (response) => void response.socket?.destroy()
