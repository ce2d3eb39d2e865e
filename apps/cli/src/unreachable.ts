/** Why a request got no answer: the errors of fetch, sockets and TLS as sentences. */

const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused: check that it runs and that the address is right',
  ECONNRESET: 'the server closed the connection without an answer',
  UND_ERR_SOCKET: 'the server closed the connection without an answer',
  ENOTFOUND: 'no host has this name',
  EAI_AGAIN: 'the name could not be resolved: check DNS',
  EHOSTUNREACH: 'the host cannot be reached: check the network',
  ENETUNREACH: 'the network cannot be reached: check the network',
  ETIMEDOUT: 'no connection within the time limit: check for a firewall',
  UND_ERR_CONNECT_TIMEOUT: 'no connection within the time limit: check for a firewall',
  UND_ERR_HEADERS_TIMEOUT: 'no answer within the time limit',
  UND_ERR_BODY_TIMEOUT: 'the answer stopped midway',
  EPROTO: 'the server does not support TLS: try http:// instead of https://',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the server does not support TLS: try http:// instead of https://',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed: trust it with NODE_EXTRA_CA_CERTS=FILE',
  SELF_SIGNED_CERT_IN_CHAIN:
    'its certificate is from an unknown CA: trust the CA with NODE_EXTRA_CA_CERTS=FILE',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    'its certificate is from an unknown CA: trust the CA with NODE_EXTRA_CA_CERTS=FILE',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
}

export function unreachableReason(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if (error.name === 'TimeoutError') return 'no answer within the time limit'
  const cause = error.cause instanceof Error ? error.cause : error
  const code = 'code' in cause && typeof cause.code === 'string' ? cause.code : ''
  if (cause.name === 'HTTPParserError') return 'the server does not speak HTTP: check the port'
  if (cause.message === 'bad port') return 'this port is reserved for another protocol: check the port'
  return reasons[code] ?? cause.message
}
