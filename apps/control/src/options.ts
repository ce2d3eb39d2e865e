/** Turns settings into options for the parts of control. Reads the files that the settings name. */
import { readFileSync } from 'node:fs'
import { readAccess } from '@imapfleet/nats'
import { isCertificate } from '@imapfleet/nats/tls'
import { reasonOf } from '@imapfleet/observe'
import { parseJson } from '@imapfleet/protocol'
import type { BusOptions } from './platform/nats/bus.ts'
import { noAlerting, readAlerting, type Alerting } from './features/alerts/channels.ts'
import { readGrants } from './features/people/grants.ts'
import type { ProviderOptions } from './features/people/provider.ts'
import { issuerFileSchema, type IssuerFile } from './features/enrolments/issuer.ts'
import { databaseAddress, settingsIn, type DatabaseAddress } from './platform/db/address.ts'
import { SettingsError, type ControlSettings } from './settings.ts'

/** All functions here throw a SettingsError. */
export function databaseOptions(
  settings: Pick<ControlSettings, 'DATABASE_URL' | 'DATABASE_CA_FILE' | 'DATABASE_PASSWORD_FILE'>,
): DatabaseAddress {
  const { caFile, hasPassword } = settingsIn(settings.DATABASE_URL)
  const { DATABASE_PASSWORD_FILE: passwordFile } = settings
  if (passwordFile !== undefined && hasPassword)
    throw new SettingsError(
      'DATABASE_URL has a password, and DATABASE_PASSWORD_FILE is set: remove one of them',
    )
  const password = passwordFile === undefined ? undefined : readFilled('DATABASE_PASSWORD_FILE', passwordFile)
  const ca =
    settings.DATABASE_CA_FILE === undefined
      ? caFile && readAuthority('sslrootcert of DATABASE_URL', caFile)
      : readAuthority('DATABASE_CA_FILE', settings.DATABASE_CA_FILE)
  return databaseAddress(settings.DATABASE_URL, ca, password)
}

export function busOptions(settings: ControlSettings): BusOptions {
  const variables = {
    tokenFile: 'NATS_TOKEN_FILE',
    credentialsFile: 'NATS_CREDENTIALS_FILE',
    tlsCaFile: 'NATS_TLS_CA_FILE',
    tlsCertFile: 'NATS_TLS_CERT_FILE',
    tlsKeyFile: 'NATS_TLS_KEY_FILE',
  } as const
  const files = Object.fromEntries(
    Object.entries(variables).map(([key, variable]) => [key, settings[variable]]),
  )
  const read = readAccess(settings.NATS_URL, files, (key) => variables[key])
  if (!read.ok) throw new SettingsError(read.reason)
  return {
    access: read.access,
    limits: {
      replicas: settings.NATS_REPLICAS,
      reportsBytesMax: settings.REPORTS_STREAM_BYTES_MAX,
      tracesBytesMax: settings.TRACES_STREAM_BYTES_MAX,
      tracesKeptMs: settings.TRACES_KEPT_HOURS * 3_600_000,
    },
  }
}

export function readIssuer({ NATS_ISSUER_FILE: file }: ControlSettings): IssuerFile | undefined {
  if (file === undefined) return undefined
  const text = readFilled('NATS_ISSUER_FILE', file)
  const parsed = issuerFileSchema.safeParse(parseJson(text))
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const what =
    issue && issue.path.length > 0 ? `${issue.path.join('.')} ${issue.message}` : 'it is not a JSON object'
  throw new SettingsError(
    `NATS_ISSUER_FILE: ${file} is not an issuer.json of imapfleet-control nats init: ${what}`,
  )
}

export function alertingOptions({ ALERTS_FILE: file }: Pick<ControlSettings, 'ALERTS_FILE'>): Alerting {
  return file === undefined
    ? noAlerting
    : readAlerting(file, (problem) => new SettingsError(`ALERTS_FILE: ${problem}`))
}

/** Undefined: people sign in with tokens only. */
export function providerOptions(settings: ControlSettings): ProviderOptions | undefined {
  const { PUBLIC_URL, OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET_FILE, OIDC_GROUPS_FILE } = settings
  // They are set together.
  if (
    PUBLIC_URL === undefined ||
    OIDC_ISSUER === undefined ||
    OIDC_CLIENT_ID === undefined ||
    OIDC_CLIENT_SECRET_FILE === undefined ||
    OIDC_GROUPS_FILE === undefined
  )
    return undefined
  const clientSecret = readFilled('OIDC_CLIENT_SECRET_FILE', OIDC_CLIENT_SECRET_FILE)
  return {
    publicUrl: PUBLIC_URL,
    issuer: OIDC_ISSUER,
    clientId: OIDC_CLIENT_ID,
    clientSecret,
    scopes: settings.OIDC_SCOPES ?? ['openid', 'email', 'profile'],
    nameClaim: settings.OIDC_NAME_CLAIM ?? 'email',
    groupsClaim: settings.OIDC_GROUPS_CLAIM ?? 'groups',
    label: settings.OIDC_LABEL ?? new URL(OIDC_ISSUER).host,
    grants: readGrants(OIDC_GROUPS_FILE, (problem) => new SettingsError(`OIDC_GROUPS_FILE: ${problem}`)),
  }
}

function readAuthority(name: string, file: string): string {
  const pem = readFilled(name, file)
  if (isCertificate(pem)) return pem
  throw new SettingsError(`${name}: ${file} is not a PEM file with a certificate`)
}

function readFilled(name: string, file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8').trim()
  } catch (error) {
    throw new SettingsError(`${name}: cannot read ${file}: ${reasonOf(error)}`)
  }
  if (text === '') throw new SettingsError(`${name}: ${file} is empty`)
  return text
}
