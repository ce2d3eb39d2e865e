/**
 * The limit on the memory of the process (`process.memoryBytesMax`). Near it, the pool evicts idle connections. At it, the
 * pool refuses logins that need a new connection, so that the system does not kill the process and all of its sessions.
 */

export type MemoryState =
  | 'enough'
  /** Idle connections are evicted. */
  | 'short'
  /** Logins that need a new connection are refused as well. */
  | 'exhausted'

const shortFrom = 0.9

/**
 * @param residentBytes memory of the process
 * @param bytesMax 0: no limit
 */
export function memoryStateOf(residentBytes: number, bytesMax: number): MemoryState {
  if (bytesMax === 0 || residentBytes < bytesMax * shortFrom) return 'enough'
  return residentBytes < bytesMax ? 'short' : 'exhausted'
}

/** A description for operators. Undefined: there is enough memory. */
export function memoryProblem(
  state: MemoryState,
  residentBytes: number,
  bytesMax: number,
): string | undefined {
  if (state === 'enough') return undefined
  const [used, limit] = [residentBytes, bytesMax].map((bytes) => `${Math.round(bytes / 1e6)} MB`)
  const consequence =
    state === 'short' ? 'idle connections are evicted' : 'logins that need a new connection are refused'
  return `memory: ${used} of ${limit} (process.memoryBytesMax) are in use: ${consequence}`
}
