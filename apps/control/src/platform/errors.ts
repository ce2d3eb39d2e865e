/**
 * All refusals of requests to control. Verbs throw a ServiceError with one of these codes. The HTTP side maps the
 * code to a status. Each code has an entry in docs/failure-modes.md.
 */
import type { Problem } from '@imapfleet/config'

/** Code → HTTP status and title. */
export const errorCodes = {
  request_invalid: { status: 400, title: 'The request is not valid' },
  config_invalid: { status: 400, title: 'The configuration is not valid' },
  metric_unknown: { status: 400, title: 'No such metric' },
  range_invalid: { status: 400, title: 'The time range is not valid' },
  step_too_fine: { status: 400, title: 'The answer would have too many points' },
  sign_in_failed: { status: 400, title: 'Signing in failed' },
  token_missing: { status: 401, title: 'A token is required' },
  token_invalid: { status: 401, title: 'The token is not valid' },
  session_over: { status: 401, title: 'The session has ended' },
  identity_invalid: { status: 403, title: 'The provider sent no usable identity' },
  person_without_rights: { status: 403, title: 'Your groups may not use imapfleet' },
  sign_in_refused: { status: 403, title: 'The provider did not sign you in' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  outside_limits: { status: 403, title: 'The token is limited' },
  origin_refused: { status: 403, title: 'The request did not come from the console' },
  provider_missing: { status: 404, title: 'Control has no provider' },
  route_unknown: { status: 404, title: 'No such route' },
  login_unknown: { status: 404, title: 'No such login' },
  token_unknown: { status: 404, title: 'No such token' },
  edge_unknown: { status: 404, title: 'No such edge' },
  revision_unknown: { status: 404, title: 'No such revision' },
  revocation_unknown: { status: 404, title: 'No such revocation' },
  order_unknown: { status: 404, title: 'No such order' },
  rollout_unknown: { status: 404, title: 'No such rollout' },
  operation_unknown: { status: 404, title: 'No such operation' },
  trace_unknown: { status: 404, title: 'No such trace' },
  alert_unknown: { status: 404, title: 'No such alert' },
  alert_silence_unknown: { status: 404, title: 'No such silence' },
  alert_channel_unknown: { status: 404, title: 'No such channel' },
  enrolment_unknown: { status: 404, title: 'No such credential' },
  method_unknown: { status: 405, title: 'The route does not support this method' },
  person_required: { status: 409, title: 'The token is not that of a person' },
  config_conflict: { status: 409, title: 'The configuration has changed' },
  rollout_active: { status: 409, title: 'A revision is being rolled out' },
  rollout_over: { status: 409, title: 'The rollout has ended' },
  operation_active: { status: 409, title: 'Another operation in stages is running' },
  operation_over: { status: 409, title: 'The operation has ended' },
  idempotency_conflict: { status: 409, title: 'The idempotency key was used for another request' },
  idempotency_unknown: { status: 409, title: 'The outcome of this request is unknown' },
  order_conflict: { status: 409, title: 'Another order has this id' },
  alert_not_open: { status: 409, title: 'The alert is not open' },
  edge_present: { status: 409, title: 'The edge is online' },
  edge_enrolled: { status: 409, title: 'The edge is enrolled in another region' },
  traces_full: { status: 409, title: 'Too many users are being traced' },
  trace_forgotten: { status: 410, title: 'The lines of this trace have been deleted' },
  precondition_failed: { status: 412, title: 'The configuration has another revision' },
  request_too_large: { status: 413, title: 'The request is too large' },
  too_many_attempts: { status: 429, title: 'Too many wrong tokens' },
  internal: { status: 500, title: 'Control failed' },
  enrolment_unavailable: { status: 501, title: 'Control cannot issue credentials' },
  streams_of_token_full: { status: 429, title: 'Too many streams are open with this token' },
  streams_full: { status: 503, title: 'Too many streams are open' },
  database_read_only: { status: 503, title: 'Postgres accepts no writes' },
  database_full: { status: 503, title: 'The disk of Postgres is full' },
  database_busy: { status: 503, title: 'Another transaction holds a lock' },
  database_unavailable: { status: 503, title: 'Postgres does not answer' },
  provider_unavailable: { status: 503, title: 'The provider does not answer' },
  bus_unavailable: { status: 503, title: 'NATS does not answer' },
  request_timeout: { status: 504, title: 'The answer took too long' },
} as const

export type ErrorCode = keyof typeof errorCodes

interface RefusalOptions {
  problems?: Problem[]
  newest?: number | undefined
}

export class ServiceError extends Error {
  readonly code: ErrorCode
  /** The key and the message of each problem, if there are several. */
  readonly problems: Problem[] | undefined
  /** The newest revision, if the change was based on an older one. */
  readonly newest: number | undefined

  /**
   * `detail`: one sentence for an operator that says what to do. It is sent to the client, so it must contain no
   * secrets.
   */
  constructor(code: ErrorCode, detail: string, options: RefusalOptions = {}) {
    super(detail)
    this.name = 'ServiceError'
    this.code = code
    this.problems = options.problems
    this.newest = options.newest
  }
}
