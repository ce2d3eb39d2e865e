/** Errors that end the edge at its start, or a reload, by code. docs/failure-modes.md says what to check for each. */

export const errorCodes = {
  config_unreadable: 'The configuration file cannot be read.',
  config_invalid: 'The configuration has mistakes.',
  listen_failed: 'A port cannot be bound.',
  tls_unreadable: 'A certificate or key cannot be read or used.',
  trace_unwritable: 'The protocol log cannot be written.',
  privileges: 'The process runs as root, or cannot change to the configured user.',
} as const
export type ErrorCode = keyof typeof errorCodes

/** The message is for operators: what is wrong, one line for each problem. */
export class EdgeError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EdgeError'
    this.code = code
  }
}

/** For a bug: the stack of what was thrown, or as much as it has. */
export const stackOf = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
