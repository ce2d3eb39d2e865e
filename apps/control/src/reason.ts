/** What an error says to people: in the log, in answers, on standard error. */
import { describeTlsError } from '@imapfleet/nats/tls'

/** The sentence of an error, also where the message itself is empty. */
export function reasonOf(error: unknown): string {
  const origin = originOf(error)
  if (!(origin instanceof Error)) return String(origin)
  return describeTlsError(origin) ?? (origin.message || (origin as NodeJS.ErrnoException).code || origin.name)
}

/** Errors of ours, whose own message says more than what caused them. */
const speaking = new Set(['ServiceError', 'SettingsError'])

/**
 * The error beneath its wrappers: Node joins the attempts to connect in an AggregateError, and drizzle's own error
 * repeats all parameters of a query, which nobody may see.
 */
export function originOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return originOf(error.errors[0])
  if (error instanceof Error && !speaking.has(error.name) && error.cause instanceof Error)
    return originOf(error.cause)
  return error
}
