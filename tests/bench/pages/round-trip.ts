/** Measures the round trip that a relay adds to a connection. */
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { listenLocally, portOf } from '../../support/sockets.ts'
import { startRelay } from '../edge/programs.ts'
import { quantile } from './results.ts'

const echoes = 20
/** The processes sleep before each echo, as they do between pages. */
const restMs = 20

/** @returns milliseconds: the median through a relay with this delay in each direction, minus the median without one */
export async function measureRoundTrip(delayMs: number): Promise<number> {
  const echo = createServer({ noDelay: true }, (socket) => socket.pipe(socket))
  await listenLocally(echo)
  const relay = await startRelay(portOf(echo), delayMs)
  try {
    return (await medianEcho(relay.port)) - (await medianEcho(portOf(echo)))
  } finally {
    await relay.stop()
    echo.close()
  }
}

async function medianEcho(port: number): Promise<number> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const times: number[] = []
  // The first one also opens the connection.
  for (let each = 0; each <= echoes; each++) {
    await pause(restMs)
    const began = performance.now()
    socket.write('x')
    await once(socket, 'data')
    times.push(performance.now() - began)
  }
  socket.destroy()
  return quantile(times.slice(1), 0.5)
}
