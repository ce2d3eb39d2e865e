/**
 * Translates errors of connections, TLS and DNS: to the end of a link, to the reason of a failed dial, and to a sentence for
 * operators. Other files do not read the codes of such errors.
 */
import type { LinkEnd } from './link.ts'

/** @param code of the error on an open connection; empty if it has none */
export function linkEndOf(code: string): LinkEnd {
  if (code === 'ETIMEDOUT') return 'timed-out'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset-by-peer'
  return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') ? 'tls-failed' : 'closed-by-peer'
}

/** Why a connection could not be opened, TLS included. */
export function dialErrorReason(error: unknown): LinkEnd | 'refused' {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'refused'
  if (syscall !== undefined || isSystemCode(code)) return linkEndOf(code)
  return code === '' ? 'closed-by-peer' : 'tls-failed'
}

/** The same as a sentence for operators. Omits Node's advice behind a semicolon, which is about options of Node. */
export function dialErrorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const sentence = message.split(';')[0]!
  const text = code && !sentence.includes(code) ? `${sentence} (${code})` : sentence
  return isCertificateError(error) ? `${text}: set caFile to its CA, or serverName to its name` : text
}

const isSystemCode = (code: string): boolean => /^E[A-Z]+$/.test(code)

/** OpenSSL's codes for certificates have no prefix, such as CERT_HAS_EXPIRED. Node has its own code for a wrong name. */
function isCertificateError(error: unknown): boolean {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (syscall !== undefined || isSystemCode(code)) return false
  return /^(?!ERR_)[A-Z0-9_]+$|^ERR_TLS_CERT/.test(code)
}
