/**
 * Opens the connections of the Postgres driver, with TLS if it is configured, so that their ends can be reported in a way that the
 * driver handles (client.ts): never as the consequence of an error, and as an error if Postgres has not answered. What the driver did
 * not send before the end of a connection is left out of its next one.
 */
import { connect, isIP, Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type postgres from 'postgres'

/** As the driver has parsed it. */
interface Place {
  host: string[]
  port: number[]
}

type OpenSocket = (place: Place) => Socket | Promise<Socket>
type DriverOptions = postgres.Options<Record<string, postgres.PostgresType>>

export const loss = (text: string) => Object.assign(new Error(text), { code: 'CONNECTION_CLOSED' })

/** @param isEnded aborted when the client is closed */
export function opening(options: DriverOptions, isEnded: AbortSignal): DriverOptions {
  const { socket: open = toHost } = options as { socket?: OpenSocket }
  const { ssl = false, connect_timeout: timeoutS = 30 } = options
  const socket: OpenSocket = async (place) => {
    const raw = await open(place)
    return withClearEnd(ssl === false ? raw : await secured(raw, ssl, timeoutS, isEnded).catch(failing))
  }
  // The type of the driver leaves out sockets.
  return { socket, ssl: false, connection: long(options.connection) } as unknown as DriverOptions
}

/** Longer than what the driver holds back to send it together with more. */
const heldBytesMax = 1024

/**
 * With spaces behind a number, which Postgres ignores. A driver that still waits to send something on the last connection begins
 * the next one only with a long message.
 */
function long(settings: DriverOptions['connection'] = {}): DriverOptions['connection'] {
  const [name, value] =
    Object.entries(settings).find(([, each]) => typeof each === 'number' && each > 0) ?? []
  return name === undefined ? settings : { ...settings, [name]: String(value).padEnd(heldBytesMax) }
}

const toHost: OpenSocket = ({ host: [host = ''], port: [port = 0] }) =>
  Object.assign(connect(port, host), { host, port })

function withClearEnd(socket: Socket): Socket {
  const write = socket.write.bind(socket)
  socket.write = (bytes: string | Uint8Array) => {
    socket.write = write
    return write(fromStart(Buffer.from(bytes as Uint8Array)))
  }
  const emit = socket.emit.bind(socket)
  let isAnswered = false
  socket.emit = (event: string, ...args: unknown[]) => {
    if (event === 'data') isAnswered = true
    if (event !== 'close') return emit(event, ...args)
    if (args[0] !== true && !isAnswered)
      emit('error', loss('Postgres closed the connection before it answered'))
    return emit(event, false)
  }
  return socket
}

/** The message that begins a session, without what is before it. */
function fromStart(bytes: Buffer): Buffer {
  for (let at = 0; at <= bytes.length - 8; at++)
    if (bytes.readUInt32BE(at + 4) === protocol && bytes.readUInt32BE(at) === bytes.length - at)
      return bytes.subarray(at)
  return bytes
}

const protocol = 3 << 16

/** Asks for TLS, as the driver does (https://www.postgresql.org/docs/current/protocol-flow.html, SSL session encryption). */
async function secured(
  raw: Socket,
  ssl: NonNullable<DriverOptions['ssl']>,
  timeoutS: number,
  isEnded: AbortSignal,
): Promise<Socket> {
  const { host, port } = raw as { host?: string; port?: number }
  const isInTime = new AbortController()
  const timer = setTimeout(() => {
    const error = new Error(`no answer from ${host} within ${timeoutS} s`)
    isInTime.abort(Object.assign(error, { code: 'CONNECT_TIMEOUT' }))
  }, timeoutS * 1000)
  const signal = AbortSignal.any([isInTime.signal, isEnded])
  try {
    raw.write(sslRequest)
    const answer = (await next(raw, 'data', signal)) as Buffer
    if (ssl === 'prefer' && answer[0] !== accepted) return raw
    const secure = connectTls({
      socket: raw,
      ...(host !== undefined && isIP(host) === 0 && { servername: host }),
      ...(typeof ssl === 'object' ? ssl : { rejectUnauthorized: ssl === 'verify-full' || ssl === true }),
    })
    await next(secure, 'secureConnect', signal)
    return Object.assign(secure, { host, port })
  } catch (error) {
    raw.destroy()
    throw error
  } finally {
    clearTimeout(timer)
  }
}

const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])
const accepted = 'S'.charCodeAt(0)

/** What comes with the event. Rejects if the socket ends before, or at the signal. */
async function next(socket: Socket, event: 'data' | 'secureConnect', signal: AbortSignal): Promise<unknown> {
  return await new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true })
    if (signal.aborted) reject(signal.reason as Error)
    socket.once(event, resolve)
    // Also for errors after the event, until the driver listens.
    socket.on('error', reject)
    socket.once('close', () => reject(loss('the connection was closed before TLS began')))
  })
}

/** A socket that ends with the error: the driver would never use a connection again whose socket could not be made. */
function failing(error: Error): Socket {
  const socket = new Socket()
  // What the driver writes until then.
  socket.write = () => true
  setImmediate(() => socket.destroy(error))
  return socket
}
