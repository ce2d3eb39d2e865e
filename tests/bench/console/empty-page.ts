/** A page of one paragraph from a server without anything else: what a browser needs for any page on this machine. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const content =
  '<!doctype html><html lang="en"><head><title>Empty</title></head><body><p>Empty.</p></body></html>'

export async function serveEmptyPage(): Promise<{ address: string; stop: () => void }> {
  const server = createServer((_, response) =>
    response.setHeader('content-type', 'text/html; charset=utf-8').end(content),
  )
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return {
    address: `http://127.0.0.1:${port}/`,
    stop: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}
