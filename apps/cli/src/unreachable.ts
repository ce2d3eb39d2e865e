/** Why a request got no answer, in words for an operator: the errors of fetch, sockets and TLS, translated once. */

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there; is it running, and is the address right?',
  ECONNRESET: 'it closed the connection without an answer',
  UND_ERR_SOCKET: 'it closed the connection without an answer',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'the name could not be looked up; is DNS working?',
  EHOSTUNREACH: 'the host cannot be reached; is the network up?',
  ENETUNREACH: 'the network cannot be reached; is it up?',
  ETIMEDOUT: 'no connection within the time limit; is a firewall in between?',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within the time limit; is a firewall in between?',
  UND_ERR_HEADERS_TIMEOUT: 'no answer within the time limit',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped midway',
  EPROTO: 'it does not speak TLS; try http:// instead of https://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS; try http:// instead of https://',
  DEPTH_ZERO_SELF_SIGNED_CERT:
    'its certificate is self-signed; trust its authority with NODE_EXTRA_CA_CERTS=FILE',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate has an unknown authority; trust it with NODE_EXTRA_CA_CERTS=FILE',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate has an unknown authority; trust it with NODE_EXTRA_CA_CERTS=FILE',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'no answer within the time limit'
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  if (cause.name === 'HTTPParserError') return 'it does not speak HTTP; is this the right port?'
  if (cause.message === 'bad port') return 'that port is reserved for another protocol; is it the right one?'
  return reasons[code] ?? cause.message
}
