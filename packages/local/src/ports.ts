/** Loopback ports for parts: the preferred one if it is free, otherwise another one. */
import { randomInt } from 'node:crypto'
import { createSocket } from 'node:dgram'
import { createServer } from 'node:net'
import { LocalError } from './local-error.ts'

/** Below the range of the kernel for outgoing connections, so that none of those takes the port later. */
const lowest = 20_000
const highest = 29_999

/** A TCP port that is free, and that no process gets from this function again while this process runs. */
export async function freePort(preferred?: number): Promise<number> {
  const candidates = Array.from({ length: 200 }, () => randomInt(lowest, highest + 1))
  if (preferred !== undefined) candidates.unshift(preferred)
  for (const port of candidates) {
    const free = await reserve(port)
    if (!free) continue
    if (await isFree(port)) return port
    free()
  }
  throw new LocalError('part_failed', `no free port found between ${lowest} and ${highest} on 127.0.0.1`)
}

/**
 * A part that is starting does not listen yet. Until this process ends, the UDP port of the same number is in use, so that another
 * process does not assign the port either. Returns a function that frees it; undefined if it is reserved already.
 */
function reserve(port: number): Promise<(() => void) | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4').unref()
    socket.once('error', () => resolve(undefined))
    socket.bind({ address: '127.0.0.1', port, exclusive: true }, () => resolve(() => socket.close()))
  })
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen({ host: '127.0.0.1', port, exclusive: true }, () => server.close(() => resolve(true)))
  })
}
