/**
 * Where Postgres is and how it is spoken to: libpq's `sslmode` and `sslrootcert`, which the driver knows only in part. It
 * would send `sslrootcert` to the server as a setting, and verify a server named by its address as `localhost`.
 */
import { clientTls, type ClientTls } from '@imapfleet/nats/tls'

export interface DatabaseAddress {
  /** Without the settings of TLS. */
  url: string
  /** False: none. `prefer`, `require`: TLS if the server has it, or else nothing at all; neither verifies who it is. */
  ssl: false | 'prefer' | 'require' | Partial<ClientTls>
}

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

/** What DATABASE_URL says of TLS. */
export function sslIn(text: string): { mode: string | undefined; caFile: string | undefined } {
  const { searchParams } = new URL(text)
  return {
    mode: searchParams.get('sslmode') ?? undefined,
    caFile: searchParams.get('sslrootcert') ?? undefined,
  }
}

/** With an authority and no word of how, the server is verified. `ca`: the PEM of the authority. */
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
      // As libpq does: whoever names an authority wants it to be asked.
      return ca === undefined ? 'require' : { ...verified, checkServerIdentity: () => undefined }
    case 'verify-ca':
      return { ...verified, checkServerIdentity: () => undefined }
    case 'verify-full':
      return verified
  }
}
