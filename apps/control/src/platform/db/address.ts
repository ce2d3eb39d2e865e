/**
 * The address of Postgres, with libpq's `sslmode`, `sslrootcert`, several hosts and `target_session_attrs`, which the driver
 * supports only in part: it would send `sslrootcert` to the server as a setting, would verify a server that is configured by
 * its address as `localhost`, and would take a standby for a server that can be written.
 */
import { clientTls, type ClientTls } from '@imapfleet/nats/tls'

export interface DatabaseHost {
  host: string
  port: number
}

export interface DatabaseAddress {
  /** Of the first host, without the settings that are read here. */
  url: string
  /** In the order of DATABASE_URL. Of several, the one that is the primary is used. */
  hosts: readonly DatabaseHost[]
  /** False: no TLS. `prefer`, `require`: TLS if available, or always; neither verifies the server. */
  ssl: false | 'prefer' | 'require' | Partial<ClientTls>
}

export const sslModes = ['disable', 'allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const
export type SslMode = (typeof sslModes)[number]

/** Control writes, so it needs a primary. */
export const sessionAttributes = ['any', 'read-write', 'primary'] as const

const parts = /^(postgres(?:ql)?:\/\/(?:[^@/?#]*@)?)([^/?#]*)(.*)$/

/** The URL of the first host, and all hosts. Undefined if it is not a URL of Postgres. */
function read(text: string): { url: URL; hosts: DatabaseHost[] } | undefined {
  const [, before = '', hosts = '', behind = ''] = parts.exec(text) ?? []
  const urls = decodeURIComponent(hosts)
    .split(',')
    .map((host) => URL.parse(`${before}${host}${behind}`))
  const [url] = urls
  const found = urls.flatMap((each) =>
    each === null ? [] : [{ host: each.hostname.replace(/^\[|\]$/g, ''), port: Number(each.port || 5432) }],
  )
  const isComplete =
    found.length === urls.length && (found.length === 1 || found.every(({ host }) => host !== ''))
  return url && isComplete ? { url, hosts: found } : undefined
}

export const isDatabaseUrl = (text: string): boolean => {
  try {
    const found = read(text)
    // The driver decodes all of them.
    const { username = '', password = '', pathname = '' } = found?.url ?? {}
    for (const part of [username, password, pathname]) decodeURIComponent(part)
    return found !== undefined
  } catch {
    // A wrong percent code.
    return false
  }
}

/** False: it names the directory of a socket, or its host in a parameter. The driver would connect to another server. */
export const isReachedByTcp = (text: string): boolean => {
  const found = read(text)
  const { pathname = '', searchParams } = found?.url ?? {}
  return (
    ['host', 'hostaddr', 'port'].every((name) => !searchParams?.has(name)) &&
    // A directory instead of a host would be a part of the path.
    !pathname.slice(1).includes('/')
  )
}

/** What the parameters of DATABASE_URL set. The text must be a URL of Postgres. */
export function settingsIn(text: string): {
  sslMode: string | undefined
  caFile: string | undefined
  attributes: string | undefined
  hasPassword: boolean
} {
  const url = read(text)?.url
  const parameters = url?.searchParams
  return {
    hasPassword: url !== undefined && url.password !== '',
    sslMode: parameters?.get('sslmode') ?? undefined,
    caFile: parameters?.get('sslrootcert') ?? undefined,
    attributes: parameters?.get('target_session_attrs') ?? undefined,
  }
}

/**
 * With a CA and without `sslmode` the server is verified.
 * @param ca the PEM of the CA
 * @param password any characters; undefined: the one in the URL, if there is one
 */
export function databaseAddress(text: string, ca: string | undefined, password?: string): DatabaseAddress {
  const { url, hosts } = read(text) ?? { url: new URL(text), hosts: [] }
  if (password !== undefined) url.password = encodeURIComponent(password)
  const mode = (settingsIn(text).sslMode ?? (ca === undefined ? 'disable' : 'verify-full')) as SslMode
  for (const name of ['sslmode', 'sslrootcert', 'target_session_attrs']) url.searchParams.delete(name)
  const names = hosts.map(({ host }) => host)
  return { url: url.href, hosts, ssl: sslOf(mode, names, ca) }
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
