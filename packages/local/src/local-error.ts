/** What can go wrong when parts are started on one machine: a closed list, each with words that say what to do. */

export type LocalErrorCode =
  /** A program that is needed is not installed and could not be fetched. */
  | 'program_missing'
  /** A part ended, or did not get ready in time. */
  | 'part_failed'
  /** A service that was named by the caller or the environment does not answer. */
  | 'service_unreachable'
  /** A file or directory belongs to someone else or cannot be written. */
  | 'no_access'
  /** Another quickstart runs in this clone. */
  | 'already_running'
  /** The start was interrupted. */
  | 'aborted'

export class LocalError extends Error {
  readonly code: LocalErrorCode

  constructor(code: LocalErrorCode, message: string) {
    super(message)
    this.name = 'LocalError'
    this.code = code
  }
}

/** The message of whatever was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** `ENOENT` and the like. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The last lines that a program printed before it failed under `execFile`. */
export function outputOf(error: unknown, lines: number): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return (said || messageOf(error)).split('\n').slice(-lines).join(' ')
}
