/** The validity of a certificate that the edge presents, and the problem to report to operators. */
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface CertificateDates {
  /** The listener or upstream that uses the certificate, such as `listeners.imap`; or `fleet`. */
  owner: string
  file: string
  /** Milliseconds since 1970. */
  from: number
  until: number
}

export interface CertificateProblem {
  kind: 'certificate_expired' | 'certificate_not_yet_valid' | 'certificate_expires_soon'
  /** For operators. */
  detail: string
}

const dayMs = 86_400_000
const pem = /-----BEGIN CERTIFICATE-----[^]*?-----END CERTIFICATE-----/

/**
 * The dates of the first certificate in a PEM file, which is the edge's own. The certificates of authorities after it are not
 * checked. Undefined: the dates cannot be read.
 */
export function certificateDates(owner: string, file: string): CertificateDates | undefined {
  try {
    const text = readFileSync(file, 'latin1')
    const { validFrom, validTo } = new X509Certificate(pem.exec(text)?.[0] ?? text)
    return { owner, file, from: Date.parse(validFrom), until: Date.parse(validTo) }
  } catch {
    return undefined
  }
}

/** @param wall milliseconds since 1970 */
export function certificateProblem(
  { owner, file, from, until }: CertificateDates,
  wall: number,
): CertificateProblem | undefined {
  const problem = (kind: CertificateProblem['kind'], words: string, at: number): CertificateProblem => ({
    kind,
    detail: `${owner}: the certificate in ${file} ${words} ${new Date(at).toISOString()}`,
  })
  if (wall >= until) return problem('certificate_expired', 'expired at', until)
  if (wall < from) return problem('certificate_not_yet_valid', 'is not valid before', from)
  // Certificates that are valid for days are renewed hours before they expire.
  const soonMs = Math.min(7 * dayMs, (until - from) / 10)
  return until - wall <= soonMs ? problem('certificate_expires_soon', 'expires at', until) : undefined
}
