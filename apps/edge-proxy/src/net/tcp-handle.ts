/**
 * Node's own TCP handle, the layer beneath its sockets, as far as the edge uses it. It is no public interface of Node's:
 * where anything of it is missing, `tcpHandles` is undefined and sockets are used instead.
 */
import type { Server, Socket } from 'node:net'

export interface WriteRequest {
  /** Kept alive until the kernel has it. */
  buffer?: Buffer
  oncomplete: (status: number) => void
}

export interface TcpHandle {
  onread: (data?: ArrayBuffer) => void
  readonly writeQueueSize: number
  /** Reads go into this memory, which is overwritten by the next one. */
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

export interface TcpHandles {
  newWriteRequest(): WriteRequest
  /** Bytes that the last read of any handle brought, or a negative error number. */
  lastRead(): number
  /** Whether the last write of any handle has still to be finished by the kernel. */
  lastWriteWaits(): boolean
}

interface StreamBinding {
  WriteWrap: new () => WriteRequest
  streamBaseState: Int32Array
  kReadBytesOrError: number
  kLastWriteWasAsync: number
}

export const tcpHandles: TcpHandles | undefined = findHandles()

function findHandles(): TcpHandles | undefined {
  try {
    const { binding } = process as unknown as { binding: (name: string) => StreamBinding }
    const { WriteWrap, streamBaseState, kReadBytesOrError, kLastWriteWasAsync } = binding('stream_wrap')
    if (typeof kReadBytesOrError !== 'number' || typeof kLastWriteWasAsync !== 'number') return undefined
    if (typeof WriteWrap !== 'function' || !ArrayBuffer.isView(streamBaseState)) return undefined
    return {
      newWriteRequest: () => new WriteWrap(),
      lastRead: () => streamBaseState[kReadBytesOrError]!,
      lastWriteWaits: () => streamBaseState[kLastWriteWasAsync] !== 0,
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

/** The handle beneath a socket or a server, if it is one that this Node lets us use. */
export function handleOf(owner: Socket | Server): (TcpHandle & ListeningHandle) | undefined {
  const handle = Reflect.get(owner, '_handle') as (TcpHandle & ListeningHandle) | null | undefined
  if (tcpHandles === undefined || !handle) return undefined
  return methods.every((method) => typeof handle[method] === 'function') ? handle : undefined
}

/** Takes the handle out of a connected socket, which is closed for its other users. */
export function takeHandle(socket: Socket): TcpHandle | undefined {
  const handle = handleOf(socket)
  if (!handle || socket.bytesRead > 0 || socket.writableLength > 0) return undefined
  handle.readStop()
  Reflect.set(socket, '_handle', null)
  socket.destroy()
  return handle
}

/** What a server's handle has more. */
export interface ListeningHandle {
  onconnection: (error: number, client?: TcpHandle) => void
}
