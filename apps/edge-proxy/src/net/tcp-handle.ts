/**
 * Node's TCP handle, the layer below its sockets, as far as the edge uses it. This is not a public interface of Node. If a
 * part of it is missing, `tcpBinding` is undefined, and the edge uses sockets instead.
 */
import type { Server, Socket } from 'node:net'

export interface WriteRequest {
  /** Keeps the bytes in memory until the kernel has taken them. */
  buffer?: Buffer
  oncomplete: (status: number) => void
}

export interface TcpHandle {
  /** Number of its open file; -1 without one. */
  readonly fd: number
  onread: (data?: ArrayBuffer) => void
  readonly writeQueueSize: number
  /** All reads go to this buffer. Each read overwrites the previous one. */
  useUserBuffer(buffer: Buffer): void
  readStart(): number
  readStop(): number
  writeBuffer(request: WriteRequest, bytes: Buffer): number
  writeLatin1String(request: WriteRequest, text: string): number
  setNoDelay(on: boolean): number
  setKeepAlive(on: boolean, initialDelaySeconds: number): number
  getpeername(into: { address?: string }): number
  close(callback?: () => void): void
}

/** The handle of a server that listens. */
interface ListeningHandle extends TcpHandle {
  onconnection: (error: number, client?: TcpHandle) => void
}

/** State and functions that all handles share. */
export interface TcpBinding {
  newWriteRequest(): WriteRequest
  /** Number of bytes in the last read of any handle, or a negative error number. */
  lastReadResult(): number
  /** Whether the kernel has not yet completed the last write of any handle. */
  lastWriteIsPending(): boolean
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

export const tcpBinding: TcpBinding | undefined = loadBinding()

function loadBinding(): TcpBinding | undefined {
  try {
    const { binding } = process as unknown as { binding: (name: string) => StreamBinding }
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding('stream_wrap')
    if (typeof kReadBytesOrError !== 'number' || typeof kLastWriteWasAsync !== 'number') return undefined
    if (typeof WriteWrap !== 'function' || !ArrayBuffer.isView(streamBaseState)) return undefined
    return {
      newWriteRequest: () => new WriteWrap(),
      lastReadResult: () => streamBaseState[kReadBytesOrError]!,
      lastWriteIsPending: () => streamBaseState[kLastWriteWasAsync] !== 0,
    }
  } catch {
    return undefined
  }
}

const methods = [
  'useUserBuffer',
  'readStart',
  'readStop',
  'writeBuffer',
  'writeLatin1String',
  'close',
] as const

/** The handle of a socket or server. Undefined: it lacks a method that the edge uses. */
export function handleOf(owner: Socket | Server): ListeningHandle | undefined {
  const handle = Reflect.get(owner, '_handle') as ListeningHandle | null | undefined
  if (tcpBinding === undefined || !handle) return undefined
  return methods.every((method) => typeof handle[method] === 'function') ? handle : undefined
}

/** The number of the open file of a listening server. Undefined: Node does not expose it. */
export function fileOf(server: Server): number | undefined {
  const { fd = -1 } = (Reflect.get(server, '_handle') ?? {}) as { fd?: number }
  return fd < 0 ? undefined : fd
}

/** Takes the handle out of a connected socket, which cannot be used after that. Undefined: the socket must be used. */
export function takeHandle(socket: Socket): TcpHandle | undefined {
  const handle = handleOf(socket)
  if (!handle || socket.bytesRead > 0 || socket.writableLength > 0) return undefined
  handle.readStop()
  Reflect.set(socket, '_handle', null)
  socket.destroy()
  return handle
}
