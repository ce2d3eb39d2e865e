/** Loopback ports for parts: the preferred one if it is free, otherwise another one. */
import { randomInt } from 'node:crypto'
import { createServer } from 'node:net'
import { LocalError } from './local-error.ts'

/** Below the range of the kernel for outgoing connections, so that none of those takes the port later. */
const lowest = 20_000
const highest = 29_999

/** Ports that this process has assigned: a part that is starting does not use its port yet. */
const given = new Set<number>()

export async function freePort(preferred?: number): Promise<number> {
  const candidates = Array.from({ length: 200 }, () => randomInt(lowest, highest + 1))
  if (preferred !== undefined) candidates.unshift(preferred)
  for (const port of candidates) {
    if (given.has(port)) continue
    given.add(port)
    if (await isFree(port)) return port
    given.delete(port)
  }
  throw new LocalError('part_failed', `no free port found between ${lowest} and ${highest} on 127.0.0.1`)
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
