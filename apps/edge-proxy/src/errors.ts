/** What can go wrong for good, by code; docs/failure-modes.md says of each what to check. */

export const errorCodes = {
  config_unreadable: 'The configuration file cannot be read.',
  config_invalid: 'The configuration has mistakes.',
  listen_failed: 'A port cannot be listened to.',
  tls_unreadable: 'A certificate or key cannot be read or used.',
  trace_unwritable: 'The protocol log cannot be written.',
  privileges: 'The process cannot become, or must not be, that user.',
} as const
export type ErrorCode = keyof typeof errorCodes

/** A broken world: nothing that a session could go on from. */
export class EdgeError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'EdgeError'
    this.code = code
  }
}

/** Of whatever was thrown, all that can be said of where. */
export const stackOf = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
