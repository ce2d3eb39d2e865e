/** Errors that make a start or a reload fail, by code. docs/failure-modes.md describes what to check for each. */

export const errorCodes = {
  config_unreadable: 'The configuration file cannot be read.',
  config_invalid: 'The configuration has mistakes.',
  listen_failed: 'A port cannot be bound.',
  tls_unreadable: 'A certificate or key cannot be read or used.',
  log_unwritable: 'The file of the log cannot be written.',
  trace_unwritable: 'The protocol log cannot be written.',
  privileges: 'The process runs as root, or cannot change to the configured user.',
} as const
export type ErrorCode = keyof typeof errorCodes

/** Mistakes in the configuration, or in files and accounts that it names. A port may be free at the next start. */
export const mistakes: ReadonlySet<ErrorCode> = new Set([
  'config_unreadable',
  'config_invalid',
  'tls_unreadable',
  'log_unwritable',
  'trace_unwritable',
  'privileges',
])

/** The message is for operators, with one line for each problem. */
export class EdgeError extends Error {
  readonly code: ErrorCode
  /** The configuration keys that caused the error, such as `listeners.imap.port`. */
  readonly keys: readonly string[]

  constructor(code: ErrorCode, message: string, keys: readonly string[] = []) {
    super(message)
    this.name = 'EdgeError'
    this.code = code
    this.keys = keys
  }
}

/** The error for a port that cannot be bound, with advice. `section` of the configuration: `http` or `listeners.NAME`. */
export function listenFailed(
  { section, address, port }: { section: string; address: string; port: number },
  error: NodeJS.ErrnoException,
): EdgeError {
  const reason = listenAdvice(section, error.code) ?? error.message
  const message = `${section}: cannot listen on ${address} port ${port}: ${reason}`
  return new EdgeError('listen_failed', message, [`${section}.address`, `${section}.port`])
}

function listenAdvice(section: string, code: string | undefined): string | undefined {
  if (code === 'EADDRINUSE')
    return `the port is in use; stop the other program or set ${section}.port to another`
  if (code === 'EACCES') return 'ports below 1024 need root or CAP_NET_BIND_SERVICE'
  if (code === 'EAFNOSUPPORT') return 'this host has no IPv6: use an IPv4 address, such as 0.0.0.0'
  if (code === 'EADDRNOTAVAIL') return 'this host has no such address'
  return undefined
}

/** The stack of an exception, or the thrown value if it has none. */
export const stackOf = (thrown: unknown): string =>
  thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown)
