/** The sentence that describes an error to people: in the log, in answers, on standard error. */

/**
 * Never empty, even if the message of the error is. An error with a cause is treated as a wrapper; its message is not
 * shown, because the wrapper of a failed query repeats the parameters of the query. An error whose own message is to be
 * shown must therefore have no cause.
 */
export function reasonOf(error: unknown): string {
  const origin = originOf(error)
  if (!(origin instanceof Error)) return String(origin)
  return describeTlsError(origin) ?? (origin.message || codeOf(origin) || origin.name)
}

/** The innermost cause. Node joins failed attempts at several addresses in an AggregateError; the first one is used. */
export function originOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return originOf(error.errors[0])
  return error instanceof Error && error.cause instanceof Error ? originOf(error.cause) : error
}

const unknownAuthority = /^(UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|CERT_UNTRUSTED)/
const wantsCertificate = /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|HANDSHAKE_FAILURE|UNKNOWN_CA)/

/** For an error of a TLS client; undefined for any other error. */
export function describeTlsError(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined
  const code = codeOf(error)
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return `its certificate is for another name (${namesIn(error)})`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `its certificate is not valid now (${error.message}): renew it, or set the clock of this host`
  if (unknownAuthority.test(code)) return 'its certificate is not signed by a trusted CA: check the CA file'
  if (wantsCertificate.test(code))
    return 'it requires a client certificate that it trusts: check the certificate file and the key file'
  if (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    /before secure TLS connection|does not support 'tls'/.test(error.message)
  )
    return 'it does not support TLS, but TLS is required'
  return undefined
}

const codeOf = (error: Error): string => ('code' in error && typeof error.code === 'string' ? error.code : '')

interface Certificate {
  subjectaltname?: string
  subject?: { CN?: string | string[] }
}

/** Node attaches the certificate to the error of its name check. */
function namesIn(error: Error & { cert?: Certificate }): string {
  const { subjectaltname, subject } = error.cert ?? {}
  return subjectaltname ?? `CN:${String(subject?.CN ?? '')}`
}
