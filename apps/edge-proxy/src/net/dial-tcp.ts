/** Opens TCP connections: as a handle where no TLS will begin and Node lets us, else as a socket. */
import { connect, type Socket } from 'node:net'
import type { OpenTransport } from './transport.ts'
import { overHandle } from './handle-transport.ts'
import { overSocket } from './socket-transport.ts'
import { takeHandle } from './tcp-handle.ts'

export interface TcpDestination {
  host: string
  port: number
  keepAlive: boolean
}

/** Both ends of a connection, for a PROXY header. */
export interface Ends {
  localAddress?: string | undefined
  localPort?: number | undefined
  remoteAddress?: string | undefined
}

export interface Connected {
  open: OpenTransport
  ends: Ends
}

/** Rejects with the system's error, or when the signal is aborted. */
export async function dialTcp(destination: TcpDestination, signal: AbortSignal): Promise<Connected> {
  const socket = await dialSocket(destination, signal)
  const { localAddress, localPort, remoteAddress } = socket
  const handle = takeHandle(socket)
  return {
    open: handle ? overHandle(handle) : overSocket(socket),
    ends: { localAddress, localPort, remoteAddress },
  }
}

/** A socket of Node's, which TLS can begin on. */
export function dialSocket(destination: TcpDestination, signal: AbortSignal): Promise<Socket> {
  return opened(connect({ ...destination, noDelay: true }), 'connect', signal)
}

/** Settles at an event that says that a socket can be used. */
export function opened<S extends Socket>(socket: S, event: string, signal: AbortSignal): Promise<S> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      signal.removeEventListener('abort', onAbort)
      socket.removeListener('error', onError)
      socket.removeListener('close', onClose)
      act()
    }
    const onError = (error: Error) => settle(() => (socket.destroy(), reject(error)))
    const onClose = () => settle(() => reject(new Error('closed by the server')))
    const onAbort = () =>
      settle(() => (socket.on('error', () => {}), socket.destroy(), reject(new Error('timed out'))))
    socket.once('error', onError)
    socket.once('close', onClose)
    socket.once(event, () => settle(() => resolve(socket)))
    signal.addEventListener('abort', onAbort)
    if (signal.aborted) onAbort()
  })
}
