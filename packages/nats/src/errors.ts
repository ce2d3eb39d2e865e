/** Errors of nats.js: which of them mean that NATS is down, and the reason as shown to operators. */
import { JetStreamApiError, JetStreamError } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import { reasonOf } from '@imapfleet/observe'
import type { ClientTls } from './tls.ts'

const clientErrors = [
  JetStreamError,
  JetStreamApiError,
  errors.ClosedConnectionError,
  errors.ConnectionError,
  errors.DrainingConnectionError,
  errors.NoRespondersError,
  errors.PermissionViolationError,
  errors.RequestError,
  errors.TimeoutError,
]

/** NATS did not answer, or refused. Any other error is a bug of the caller. */
export const isNatsError = (error: unknown): boolean => clientErrors.some((kind) => error instanceof kind)

/** The limit of a stream for one message, as JetStream reports it. */
const messageExceedsMaximum = 10_054

/** The message can never be sent: it is larger than the server or the stream accepts. */
export const isTooLarge = (error: unknown): boolean =>
  (error instanceof Error && 'code' in error && error.code === messageExceedsMaximum) ||
  (error instanceof errors.InvalidArgumentError && error.message.includes('max_payload'))

/** Of a stream that stores no further message: `maximum messages per subject exceeded`, `maximum bytes exceeded`. */
const storeFailed = 10_077

/** Why NATS refuses a message that it may accept later. */
export type SendRefusal =
  /** The stream holds as much of this sender as it may. */
  | 'share-full'
  | 'stream-full'
  /** The credential does not have the right. */
  | 'not-allowed'
  /** No stream takes messages on this subject, or JetStream is disabled. */
  | 'no-stream'

/** Undefined: NATS did not refuse it, for example because it is down. */
export function sendRefusalIn(error: unknown): SendRefusal | undefined {
  if (error instanceof errors.PermissionViolationError) return 'not-allowed'
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') return 'no-stream'
  if (!(error instanceof JetStreamApiError) || error.code !== storeFailed) return undefined
  return error.message.includes('per subject') ? 'share-full' : 'stream-full'
}

/** NATS refuses the login of this process. */
export const isLoginRefusal = (error: unknown): error is Error =>
  error instanceof errors.AuthorizationError ||
  error instanceof errors.UserAuthenticationExpiredError ||
  (error instanceof Error && error.message === 'User Authentication Revoked')

/** `tls`: the settings of the failed attempt. */
export function downReasonOf(error: unknown, tls?: ClientTls): string {
  // If the server requires a certificate and gets none, it says so after the handshake, when nats.js no longer listens.
  if (error instanceof errors.TimeoutError && tls && tls.cert === undefined)
    return 'it did not answer in time; if it requires a client certificate, configure one'
  if (error instanceof Error && error.name === 'JetStreamNotEnabled')
    return 'JetStream is not enabled: start nats-server with -js'
  return reasonOf(error)
}
