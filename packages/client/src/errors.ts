/**
 * The two ways a request fails: control refused it, or gave no usable answer. Both have a sentence that says what to
 * do. Any other exception is a bug, or the reason of the caller's own signal.
 */
import type { ProblemDetails } from '@imapfleet/api'

/** Control refused the request with problem+json (RFC 9457). docs/failure-modes.md lists the codes. */
export class ProblemError extends Error {
  readonly code: string
  readonly status: number
  readonly title: string
  readonly detail: string | undefined
  /** The key and the message of each mistake in the request, if there are several. */
  readonly problems: NonNullable<ProblemDetails['problems']>
  /** The newest revision, if the change was based on an older one. */
  readonly newest: number | undefined
  /** The address that refused. */
  readonly origin: string

  constructor(details: ProblemDetails, origin: string) {
    const { title, detail, problems = [] } = details
    const mistakes = problems.map(({ key, message }) => (key === '' ? message : `${key} ${message}`))
    super(mistakes.length > 0 ? `${title}: ${mistakes.join('; ')}` : (detail ?? title))
    this.name = 'ProblemError'
    this.code = details.code
    this.status = details.status
    this.title = title
    this.detail = detail
    this.problems = problems
    this.newest = details.newest
    this.origin = origin
  }
}

/**
 * `network`: no answer. `other-server`: an answer that is not control's, for example a web page of a proxy.
 * `other-version`: an answer of control that does not match its schema.
 */
export type NoAnswerKind = 'network' | 'other-server' | 'other-version'

export class NoAnswerError extends Error {
  readonly kind: NoAnswerKind
  /** Without the address. */
  readonly reason: string
  /** Another attempt within a second may succeed, for example because control restarts. */
  readonly isBrief: boolean

  constructor(kind: NoAnswerKind, reason: string, options: { message: string; isBrief?: boolean }) {
    super(options.message)
    this.name = 'NoAnswerError'
    this.kind = kind
    this.reason = reason
    this.isBrief = options.isBrief ?? false
  }
}

/** A later attempt may succeed: no answer, or control was busy or without NATS or Postgres. */
export function isTransient(error: unknown): boolean {
  if (error instanceof NoAnswerError) return error.kind !== 'other-version'
  if (!(error instanceof ProblemError)) return false
  return error.status === 429 || error.status === 500 || error.status >= 502
}

/** The codes of fetch, sockets and TLS in plain words. */
const reasons: Readonly<Record<string, { reason: string; isBrief?: true }>> = {
  ECONNREFUSED: {
    reason: 'connection refused: check that it runs and that the address is right',
    isBrief: true,
  },
  ECONNRESET: { reason: 'the server closed the connection without an answer', isBrief: true },
  EPIPE: { reason: 'the server closed the connection without an answer', isBrief: true },
  UND_ERR_SOCKET: { reason: 'the server closed the connection without an answer', isBrief: true },
  ENOTFOUND: { reason: 'no host has this name' },
  EAI_AGAIN: { reason: 'the name could not be resolved: check DNS', isBrief: true },
  EHOSTUNREACH: { reason: 'the host cannot be reached: check the network' },
  ENETUNREACH: { reason: 'the network cannot be reached: check the network' },
  ETIMEDOUT: { reason: 'no connection within the time limit: check for a firewall' },
  UND_ERR_CONNECT_TIMEOUT: { reason: 'no connection within the time limit: check for a firewall' },
  UND_ERR_HEADERS_TIMEOUT: { reason: 'no answer within the time limit' },
  UND_ERR_BODY_TIMEOUT: { reason: 'the answer stopped midway' },
  EPROTO: { reason: 'the server does not support TLS: try http:// instead of https://' },
  ERR_SSL_WRONG_VERSION_NUMBER: {
    reason: 'the server does not support TLS: try http:// instead of https://',
  },
  DEPTH_ZERO_SELF_SIGNED_CERT: {
    reason: 'its certificate is self-signed: trust it with NODE_EXTRA_CA_CERTS=FILE',
  },
  SELF_SIGNED_CERT_IN_CHAIN: {
    reason: 'its certificate is from an unknown CA: trust the CA with NODE_EXTRA_CA_CERTS=FILE',
  },
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: {
    reason: 'its certificate is from an unknown CA: trust the CA with NODE_EXTRA_CA_CERTS=FILE',
  },
  CERT_HAS_EXPIRED: { reason: 'its certificate has expired' },
  ERR_TLS_CERT_ALTNAME_INVALID: { reason: 'its certificate is for another name' },
}

/** Why a request got no answer, from what fetch threw. */
export function networkError(error: unknown, origin: string): NoAnswerError {
  const { reason, isBrief = false } = explain(error)
  return new NoAnswerError('network', reason, { message: `cannot reach ${origin}: ${reason}`, isBrief })
}

function explain(error: unknown): { reason: string; isBrief?: boolean } {
  if (!(error instanceof Error)) return { reason: String(error) }
  if (error.name === 'TimeoutError') return { reason: 'no answer within the time limit' }
  // Browsers do not say why.
  if (!(error.cause instanceof Error) && error.name === 'TypeError')
    return { reason: 'no connection to the server', isBrief: true }
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  if (cause.name === 'HTTPParserError') return { reason: 'the server does not speak HTTP: check the port' }
  if (cause.message === 'bad port')
    return { reason: 'this port is reserved for another protocol: check the port' }
  return reasons[code] ?? { reason: cause.message }
}
