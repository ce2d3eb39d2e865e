/** Failures of starting parts on one machine: a closed list, each with a sentence that says what to do. */

export type LocalErrorCode =
  /** A required program is not installed and could not be downloaded. */
  | 'program_missing'
  /** A part exited, or was not ready in time. */
  | 'part_failed'
  /** A service that the caller or the environment names does not answer. */
  | 'service_unreachable'
  /** A file or directory belongs to another user or is not writable. */
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

/** The message of any exception. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

/** `ENOENT` and similar. */
export const codeOf = (error: unknown): string | undefined =>
  error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined

/** The last lines that a program printed before it failed in `execFile`. */
export function outputOf(error: unknown, lines: number): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : ''
  return (said || messageOf(error)).split('\n').slice(-lines).join(' ')
}
