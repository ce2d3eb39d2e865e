/** Whether an error is NATS not answering, as against a bug of ours. */
import { JetStreamError, JetStreamApiError } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'

const kinds = [
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

export const isBusTrouble = (error: unknown): boolean => kinds.some((kind) => error instanceof kind)
