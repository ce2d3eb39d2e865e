/** Opens TCP connections to servers: as handles for plain TCP if Node allows this, otherwise as sockets. */
import { connect, type Socket } from 'node:net'
import { overHandle } from './handle-transport.ts'
import type { OpenTransport } from './link.ts'
import { overSocket } from './socket-transport.ts'
import { takeHandle } from './tcp-handle.ts'

export interface TcpDestination {
  host: string
  port: number
  keepAlive: boolean
}

/** The addresses of a dialed connection, for a PROXY header. */
export interface TcpAddresses {
  localAddress?: string | undefined
  localPort?: number | undefined
  remoteAddress?: string | undefined
}

export interface DialedTcp {
  open: OpenTransport
  addresses: TcpAddresses
}

/** Rejects with the system's error, or when the signal is aborted. */
export async function dialTcp(destination: TcpDestination, signal: AbortSignal): Promise<DialedTcp> {
  const socket = await dialSocket(destination, signal)
  const { localAddress, localPort, remoteAddress } = socket
  const handle = takeHandle(socket)
  return {
    open: handle ? overHandle(handle) : overSocket(socket),
    addresses: { localAddress, localPort, remoteAddress },
  }
}

/** Opens a connection as a socket, which TLS requires. */
export function dialSocket(destination: TcpDestination, signal: AbortSignal): Promise<Socket> {
  return socketReady(connect({ ...destination, noDelay: true }), 'connect', signal)
}

/** Resolves at the event from which on the socket can be used. Rejects if the socket fails or the signal is aborted. */
export function socketReady<S extends Socket>(
  socket: S,
  event: 'connect' | 'secureConnect',
  signal: AbortSignal,
): Promise<S> {
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
