/**
 * Errors of sockets, TLS and DNS in the edge's words: as the end of a link, as the reason of a failed dial, and as a
 * sentence for operators. Only this file knows the error codes of the system, Node and OpenSSL.
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

/** The same for operators. Node's advice behind the semicolon is omitted: it is for those who start Node. */
export function dialErrorText(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  const sentence = message.split(';')[0]!
  const text = code && !sentence.includes(code) ? `${sentence} (${code})` : sentence
  return isCertificateError(error) ? `${text}: set caFile to its CA, or serverName to its name` : text
}

const listenErrors: Record<string, string> = {
  EADDRINUSE: 'the port is in use; stop the other program or choose another port',
  EACCES: 'ports below 1024 need root or CAP_NET_BIND_SERVICE',
  EADDRNOTAVAIL: 'this host has no such address',
}

/** Why a port cannot be bound, and what to do about it. */
export function listenErrorText(error: unknown): string {
  const { code = '', message } = error as NodeJS.ErrnoException
  return listenErrors[code] ?? message
}

const isSystemCode = (code: string): boolean => /^E[A-Z]+$/.test(code)

/** OpenSSL's codes for certificates have no prefix, such as CERT_HAS_EXPIRED. For a wrong name Node has a code of its own. */
function isCertificateError(error: unknown): boolean {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (syscall !== undefined || isSystemCode(code)) return false
  return /^(?!ERR_)[A-Z0-9_]+$|^ERR_TLS_CERT/.test(code)
}
