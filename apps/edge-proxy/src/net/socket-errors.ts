/**
 * Translates errors of connections, TLS and DNS to the end of a link, the reason of a failed dial, and a sentence for operators.
 * Other files do not use the codes of such errors.
 */
import { isIPv6 } from 'node:net'
import { networkInterfaces } from 'node:os'
import type { LinkEnd } from './link.ts'

/** @param code of the error on an open connection; empty if it has none */
export function linkEndOf(code: string): LinkEnd {
  if (code === 'ETIMEDOUT') return 'timed-out'
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'reset-by-peer'
  return code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') ? 'tls-failed' : 'closed-by-peer'
}

/** A resource that this process or this machine has run out of. The peer is not the cause. */
export type Exhaustion = 'out-of-files' | 'out-of-ports' | 'out-of-memory'

const exhaustions: Readonly<Record<string, Exhaustion>> = {
  EMFILE: 'out-of-files',
  ENFILE: 'out-of-files',
  EADDRNOTAVAIL: 'out-of-ports',
  ENOBUFS: 'out-of-memory',
  ENOMEM: 'out-of-memory',
}

const remedies: Readonly<Record<string, string>> = {
  EMFILE: 'this process has no open files left: raise LimitNOFILE= or ulimit -n',
  ENFILE: 'this machine has no open files left: raise the sysctl fs.file-max',
  EADDRNOTAVAIL:
    'this machine has no local ports left: widen the sysctl net.ipv4.ip_local_port_range, or lower connectionsMax',
  ENOBUFS: 'this machine has no memory left for sockets: raise the sysctl net.ipv4.tcp_mem',
  ENOMEM: 'this machine has no memory left for sockets: raise the sysctl net.ipv4.tcp_mem',
}

/** The exhausted resource, if this error is about one. */
export function exhaustionOf(error: unknown): Exhaustion | undefined {
  const { code = '' } = error as NodeJS.ErrnoException
  const exhaustion = exhaustions[code]
  return exhaustion === 'out-of-ports' && !hasLocalAddressFor(error) ? undefined : exhaustion
}

export const isExhaustion = (reason: string): reason is Exhaustion =>
  Object.values<string>(exhaustions).includes(reason)

/** Without a local address of that family, EADDRNOTAVAIL means that this machine cannot reach the server at all. */
function hasLocalAddressFor(error: unknown): boolean {
  const { address } = error as { address?: string }
  if (address === undefined) return true
  const family = isIPv6(address) ? 'IPv6' : 'IPv4'
  try {
    const interfaces = Object.values(networkInterfaces())
    return interfaces.some((addresses) => addresses?.some((own) => own.family === family))
  } catch {
    // EMFILE
    return true
  }
}

/** Why a connection could not be opened, TLS included. */
export function dialErrorReason(error: unknown): LinkEnd | Exhaustion | 'refused' {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return 'refused'
  const exhaustion = exhaustionOf(error)
  if (exhaustion !== undefined) return exhaustion
  if (syscall !== undefined || isSystemCode(code)) return linkEndOf(code)
  return code === '' ? 'closed-by-peer' : 'tls-failed'
}

/** Why a client could not be accepted, for operators. */
export function acceptErrorText(error: unknown): string {
  const { code = '' } = error as NodeJS.ErrnoException
  return code in remedies ? `${code}: ${remedies[code]}` : code
}

/**
 * The error of a dial as a sentence for operators, who are told the address separately. Omits Node's advice after a
 * semicolon, which is about options of Node.
 */
export function dialErrorText(error: unknown): string {
  const { code, syscall, message, library, reason } = error as NodeJS.ErrnoException & OpensslError
  const ofSystem = syscall && code ? `${syscall} ${code}` : undefined
  const sentence =
    library !== undefined && reason !== undefined ? reason : (ofSystem ?? message.split(';')[0]!)
  const text = code && !sentence.includes(code) ? `${sentence} (${code})` : sentence
  if (exhaustionOf(error) !== undefined) return `${text}: ${remedies[code!]}`
  if (code === 'CERT_HAS_EXPIRED' || code === 'CERT_NOT_YET_VALID')
    return `${text}: renew it at the server, or set the clock of this host`
  return isCertificateError(error) ? `${text}: set caFile to its CA, or serverName to its name` : text
}

/** Fields that Node adds to errors of OpenSSL, whose messages contain file names and line numbers. */
interface OpensslError {
  library?: string
  reason?: string
}

const isSystemCode = (code: string): boolean => /^E[A-Z]+$/.test(code)

/** OpenSSL's codes for certificates have no prefix, such as CERT_HAS_EXPIRED. Node has its own code for a wrong name. */
function isCertificateError(error: unknown): boolean {
  const { code = '', syscall } = error as NodeJS.ErrnoException
  if (syscall !== undefined || isSystemCode(code)) return false
  return /^(?!ERR_)[A-Z0-9_]+$|^ERR_TLS_CERT/.test(code)
}
