/**
 * The address of Postgres, with libpq's `sslmode` and `sslrootcert`, which the driver supports only in part: it would
 * send `sslrootcert` to the server as a setting, and would verify a server that is configured by its address as
 * `localhost`.
 */
import { clientTls, type ClientTls } from '@imapfleet/nats/tls'

export interface DatabaseAddress {
  /** Without the TLS settings. */
  url: string
  /** False: no TLS. `prefer`, `require`: TLS if available, or always; neither verifies the server. */
  ssl: false | 'prefer' | 'require' | Partial<ClientTls>
}

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

/** The TLS settings of DATABASE_URL. */
export function sslIn(text: string): { mode: string | undefined; caFile: string | undefined } {
  const { searchParams } = new URL(text)
  return {
    mode: searchParams.get('sslmode') ?? undefined,
    caFile: searchParams.get('sslrootcert') ?? undefined,
  }
}

/** With a CA and without `sslmode` the server is verified. `ca`: the PEM of the CA. */
export function databaseAddress(text: string, ca: string | undefined): DatabaseAddress {
  const url = new URL(text)
  const hosts = decodeURIComponent(url.hostname)
    .replace(/^\[|\]$/g, '')
    .split(',')
  const mode = (sslIn(text).mode ?? (ca === undefined ? 'disable' : 'verify-full')) as SslMode
  url.searchParams.delete('sslmode')
  url.searchParams.delete('sslrootcert')
  return { url: url.href, ssl: sslOf(mode, hosts, ca) }
}

function sslOf(mode: SslMode, hosts: string[], ca: string | undefined): DatabaseAddress['ssl'] {
  const verified = clientTls(hosts, { ca })
  switch (mode) {
    case 'disable':
      return false
    case 'allow':
    case 'prefer':
      return 'prefer'
    case 'require':
      // As in libpq: if a CA is configured, the server is verified.
      return ca === undefined ? 'require' : { ...verified, checkServerIdentity: () => undefined }
    case 'verify-ca':
      return { ...verified, checkServerIdentity: () => undefined }
    case 'verify-full':
      return verified
  }
}
