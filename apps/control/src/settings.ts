/** The settings of the process from its environment. Parsed once, with all problems reported together. */
import { closest } from '@imapfleet/config'
import { z } from 'zod'
import {
  isDatabaseUrl,
  isReachedByTcp,
  sessionAttributes,
  settingsIn,
  sslModes,
} from './platform/db/address.ts'

const filled = z.string().trim().min(1)
/** A scheme, a host and a port: the library ignores a user, a password, a path and parameters. */
const isNatsServer = (text: string): boolean =>
  /^(nats|tls):\/\/[^/?#@]+\/?$/.test(text) && URL.canParse(text)

/** Without signs, fractions and other notations. */
const wholeNumber = (min: number, max = Number.MAX_SAFE_INTEGER) => {
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  return filled
    .refine((text) => /^\d{1,16}$/.test(text) && Number(text) >= min && Number(text) <= max, {
      error: `must be a whole number ${range}`,
      abort: true,
    })
    .transform(Number)
}

/** The claims that imapfleet reads are short names, or addresses. */
const claim = filled.max(200)
const isLoopback = (hostname: string) => /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/.test(hostname)
/** Codes and cookies pass through these addresses. */
const isSafe = (text: string): boolean => {
  const url = URL.parse(text)
  if (url === null || url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '')
    return false
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopback(url.hostname))
}

const isOneOf = (known: readonly string[], given: string | undefined) =>
  given === undefined || known.includes(given)

const each = z.object({
  DATABASE_URL: filled
    .refine(isDatabaseUrl, {
      error:
        'must be like postgres://user:password@host:5432/imapfleet. Other characters than letters and digits of a password are written as percent codes, or the password is in DATABASE_PASSWORD_FILE',
      abort: true,
    })
    .refine(
      isReachedByTcp,
      'must name a host, such as 127.0.0.1: control does not use sockets in a directory, nor the parameters host, hostaddr and port',
    )
    .refine(
      (text) => isOneOf(sslModes, settingsIn(text).sslMode),
      `must have an sslmode of ${sslModes.join(', ')}`,
    )
    .refine(
      (text) => isOneOf(sessionAttributes, settingsIn(text).attributes),
      `must have a target_session_attrs of ${sessionAttributes.join(', ')}: control writes`,
    )
    .describe('The address of Postgres'),
  DATABASE_PASSWORD_FILE: filled.optional(),
  DATABASE_CA_FILE: filled.optional(),
  NATS_URL: filled
    .default('nats://127.0.0.1:4222')
    .transform((text) => text.split(',').map((server) => server.trim()))
    .refine(
      (servers) => servers.every(isNatsServer),
      'must be like nats://host:4222, several separated by commas. Secrets are in the file of NATS_CREDENTIALS_FILE or NATS_TOKEN_FILE',
    ),
  TRUSTED_PROXIES: filled
    .transform((text) => text.split(',').map((network) => network.trim()))
    .pipe(
      z.array(
        z.union([z.cidrv4(), z.cidrv6(), z.ipv4(), z.ipv6()], {
          error: 'must be addresses or networks such as 10.0.0.0/8',
        }),
      ),
    )
    .default([]),
  NATS_TOKEN_FILE: filled.optional(),
  NATS_CREDENTIALS_FILE: filled.optional(),
  NATS_ISSUER_FILE: filled.optional(),
  NATS_TLS_CA_FILE: filled.optional(),
  NATS_TLS_CERT_FILE: filled.optional(),
  NATS_TLS_KEY_FILE: filled.optional(),
  NATS_REPLICAS: filled
    .refine((text) => ['1', '3', '5'].includes(text), 'must be 1, 3 or 5')
    .transform(Number)
    .default(1),
  REPORTS_STREAM_BYTES_MAX: wholeNumber(1_048_576).default(1_073_741_824),
  TRACES_STREAM_BYTES_MAX: wholeNumber(1_048_576).default(268_435_456),
  CONSOLE_DIRECTORY: filled.optional(),
  ALERTS_FILE: filled.optional(),
  PUBLIC_URL: filled
    .refine(
      (text) => isSafe(text) && URL.parse(text)?.pathname === '/',
      'must be like https://control.example.org, without a path; http only on this machine',
    )
    .transform((text) => new URL(text).origin)
    .optional(),
  OIDC_ISSUER: filled
    .refine(
      isSafe,
      'must be the https address of the provider, as its documents name it; http only on this machine',
    )
    .optional(),
  OIDC_CLIENT_ID: filled.max(300).optional(),
  OIDC_CLIENT_SECRET_FILE: filled.optional(),
  OIDC_GROUPS_FILE: filled.optional(),
  OIDC_SCOPES: filled
    .transform((text) => text.split(/\s+/))
    .refine(
      (scopes) =>
        scopes.includes('openid') && scopes.every((scope) => /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope)),
      'must be scopes separated by spaces, openid among them',
    )
    .optional(),
  OIDC_NAME_CLAIM: claim.optional(),
  OIDC_GROUPS_CLAIM: claim.optional(),
  OIDC_LABEL: filled.max(60).optional(),
  TRACES_KEPT_HOURS: wholeNumber(1, 8_760).default(24),
  REPORTS_KEPT_DAYS: wholeNumber(1, 366).default(7),
  MINUTES_KEPT_DAYS: wholeNumber(1, 3_660).default(90),
  HOURS_KEPT_DAYS: wholeNumber(1, 36_600).default(1_095),
})

/** What signing in through a provider needs. */
const needed = [
  'PUBLIC_URL',
  'OIDC_ISSUER',
  'OIDC_CLIENT_ID',
  'OIDC_CLIENT_SECRET_FILE',
  'OIDC_GROUPS_FILE',
] as const

/** Data must be kept at least as long as the data it is made from. */
const schema = each
  .refine((given) => given.MINUTES_KEPT_DAYS >= given.REPORTS_KEPT_DAYS, {
    path: ['MINUTES_KEPT_DAYS'],
    message: 'must not be less than REPORTS_KEPT_DAYS',
  })
  .refine((given) => given.HOURS_KEPT_DAYS >= given.MINUTES_KEPT_DAYS, {
    path: ['HOURS_KEPT_DAYS'],
    message: 'must not be less than MINUTES_KEPT_DAYS',
  })
  .superRefine((given, context) => {
    const asked = Object.entries(given).find(([key, value]) => key.startsWith('OIDC_') && value !== undefined)
    if (asked === undefined) return
    for (const key of needed)
      if (given[key] === undefined)
        context.addIssue({ code: 'custom', path: [key], message: `must be set, because ${asked[0]} is set` })
  })

/** An invalid setting. The message is a sentence for an operator. */
export class SettingsError extends Error {
  override readonly name = 'SettingsError'
}

export type ControlSettings = z.infer<typeof schema>

/** Variables that are almost a setting. Others belong to other programs. */
export function misspeltSettings(
  env: Readonly<Record<string, string | undefined>>,
): { name: string; meant: string }[] {
  const known = Object.keys(each.shape)
  const prefixes = new Set(known.map((name) => name.slice(0, prefixLength)))
  return Object.keys(env)
    .filter((name) => !known.includes(name) && prefixes.has(name.slice(0, prefixLength)))
    .flatMap((name) => {
      const meant = closest(name, known)
      return meant === undefined ? [] : [{ name, meant }]
    })
}

const prefixLength = 4

export function parseSettings(
  env: Readonly<Record<string, string | undefined>>,
): { ok: true; settings: ControlSettings } | { ok: false; problem: string } {
  // An empty variable counts as unset: unit files and compose files unset variables this way.
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value?.trim() !== ''))
  const parsed = schema.safeParse(given)
  if (parsed.success) return { ok: true, settings: parsed.data }
  const problems = parsed.error.issues.map((issue) => {
    const key = String(issue.path[0])
    if (key === 'DATABASE_URL' && given[key] === undefined)
      return `${key} is not set; for example postgres://imapfleet@127.0.0.1:5432/imapfleet`
    return `${key} ${issue.message}`
  })
  return { ok: false, problem: problems.join('; ') }
}
