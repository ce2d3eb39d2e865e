/** From settings to what the parts of control are started with: reads the files that settings name. */
import { readFileSync } from 'node:fs'
import { clientTls, hostOf } from '@imapfleet/config/tls'
import type { BusOptions } from './bus/connect-options.ts'
import { issuerFileSchema, type IssuerFile } from './bus/credentials/issuer.ts'
import { databaseAddress, sslIn, type DatabaseAddress } from './db/address.ts'
import { reasonOf } from './reason.ts'
import { SettingsError, type Settings } from './settings.ts'

/** All of these throw a SettingsError. */
export function databaseOptions(
  settings: Pick<Settings, 'DATABASE_URL' | 'DATABASE_CA_FILE'>,
): DatabaseAddress {
  const { caFile } = sslIn(settings.DATABASE_URL)
  const ca =
    settings.DATABASE_CA_FILE === undefined
      ? caFile && readSecret('sslrootcert of DATABASE_URL', caFile)
      : readSecret('DATABASE_CA_FILE', settings.DATABASE_CA_FILE)
  return databaseAddress(settings.DATABASE_URL, ca)
}

export function busOptions(settings: Settings): BusOptions {
  const { NATS_TOKEN_FILE: tokenFile, NATS_CREDENTIALS_FILE: credentialsFile } = settings
  return {
    servers: settings.NATS_URL,
    ...(tokenFile !== undefined && { token: readSecret('NATS_TOKEN_FILE', tokenFile) }),
    ...(credentialsFile !== undefined && { credentials: readCredentials(credentialsFile) }),
    ...natsTls(settings),
    limits: {
      replicas: settings.NATS_REPLICAS,
      reportsBytesMax: settings.REPORTS_STREAM_BYTES_MAX,
      tracesBytesMax: settings.TRACES_STREAM_BYTES_MAX,
      tracesKeptMs: settings.TRACES_KEPT_HOURS * 3_600_000,
    },
  }
}

/** Asked for by `tls://` or by a file; a server that demands it gets it in any case. */
function natsTls(settings: Settings): Pick<BusOptions, 'tls'> {
  const { NATS_URL: servers } = settings
  const read = (variable: 'NATS_TLS_CA_FILE' | 'NATS_TLS_CERT_FILE' | 'NATS_TLS_KEY_FILE') => {
    const file = settings[variable]
    return file === undefined ? undefined : readSecret(variable, file)
  }
  const pem = {
    ca: read('NATS_TLS_CA_FILE'),
    cert: read('NATS_TLS_CERT_FILE'),
    key: read('NATS_TLS_KEY_FILE'),
  }
  if ((pem.cert === undefined) !== (pem.key === undefined))
    throw new SettingsError('NATS_TLS_CERT_FILE and NATS_TLS_KEY_FILE need each other: set both')
  const isAskedFor =
    servers.some((server) => server.startsWith('tls://')) || (pem.ca ?? pem.cert) !== undefined
  return isAskedFor ? { tls: clientTls(servers.map(hostOf), pem) } : {}
}

function readCredentials(file: string): string {
  const text = readSecret('NATS_CREDENTIALS_FILE', file)
  if (/BEGIN NATS USER JWT[^]*BEGIN USER NKEY SEED/.test(text)) return text
  throw new SettingsError(`NATS_CREDENTIALS_FILE: ${file} is no NATS credentials file`)
}

export function readIssuer({ NATS_ISSUER_FILE: file }: Settings): IssuerFile | undefined {
  if (file === undefined) return undefined
  const text = readSecret('NATS_ISSUER_FILE', file)
  const parsed = issuerFileSchema.safeParse(jsonOf(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const what =
    issue && issue.path.length > 0 ? `${issue.path.join('.')} ${issue.message}` : 'it is no JSON object'
  throw new SettingsError(
    `NATS_ISSUER_FILE: ${file} is no issuer.json of imapfleet-control nats init: ${what}`,
  )
}

function readSecret(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new SettingsError(`${name}: cannot read ${file}: ${reasonOf(error)}`, { cause: error })
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
