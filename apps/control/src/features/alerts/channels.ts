/**
 * Where alerts are sent, from the file that ALERTS_FILE names. Addresses can be set only in files of control, so that users
 * of the API cannot make control connect to an address of their choice, and no secret is in Postgres
 * (docs/adr/0040-alerts.md).
 */
import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { alertSeverities, type AlertSeverity } from '@imapfleet/api'
import { readYaml, wordsOfIssue } from '@imapfleet/config'
import { configName } from '@imapfleet/config/names'
import { reasonOf } from '@imapfleet/observe'
import { z } from 'zod'

export interface Alerting {
  channels: readonly AlertChannel[]
  /** Pinged while control works. */
  deadManUrl: string | undefined
  /** For links in messages, without a slash at the end. */
  consoleUrl: string | undefined
}

export const noAlerting: Alerting = { channels: [], deadManUrl: undefined, consoleUrl: undefined }

interface ChannelFilter {
  name: string
  /** Empty: all. */
  severities: readonly AlertSeverity[]
  /** Empty: all. Alerts without a region always pass. */
  regions: readonly string[]
}

export interface WebhookChannel extends ChannelFilter {
  kind: 'webhook'
  url: string
  /** The key of the signature. */
  secret: Buffer
}

/** Slack, Mattermost, and what takes their messages. */
export interface ChatChannel extends ChannelFilter {
  kind: 'chat'
  url: string
}

export interface MailChannel extends ChannelFilter {
  kind: 'mail'
  host: string
  port: number
  /** `starttls` is required, not only tried. */
  security: 'tls' | 'starttls' | 'none'
  user: string | undefined
  password: string | undefined
  ca: string | undefined
  from: string
  to: readonly string[]
}

export type AlertChannel = WebhookChannel | ChatChannel | MailChannel

const file = z.string().trim().min(1)
const isHttp = (text: string) => {
  const url = URL.parse(text)
  return (
    url !== null && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === ''
  )
}
const httpUrl = z.string().trim().refine(isHttp, 'must be an http:// or https:// address without a user')
const mailAddress = z.email('must be a mail address')

const filter = {
  severities: z.array(z.enum(alertSeverities)).default([]),
  regions: z.array(configName).default([]),
}
const address = { url: httpUrl.optional(), urlFile: file.optional() }
const hasOneAddress = ({ url, urlFile }: { url?: string | undefined; urlFile?: string | undefined }) =>
  (url === undefined) !== (urlFile === undefined)
const oneAddress = 'must have either url or urlFile'

const channelSchema = z.discriminatedUnion('kind', [
  z
    .strictObject({ kind: z.literal('webhook'), ...filter, ...address, secretFile: file })
    .refine(hasOneAddress, oneAddress),
  z.strictObject({ kind: z.literal('chat'), ...filter, ...address }).refine(hasOneAddress, oneAddress),
  z
    .strictObject({
      kind: z.literal('mail'),
      ...filter,
      host: z.string().trim().min(1).max(253),
      port: z.int().min(1).max(65_535).optional(),
      security: z.enum(['tls', 'starttls', 'none']).default('starttls'),
      user: z.string().min(1).max(320).optional(),
      passwordFile: file.optional(),
      caFile: file.optional(),
      from: mailAddress,
      to: z.array(mailAddress).min(1).max(50),
    })
    .refine(
      ({ user, passwordFile }) => (user === undefined) === (passwordFile === undefined),
      'must have both user and passwordFile, or neither',
    )
    .refine(
      ({ user, security }) => user === undefined || security !== 'none',
      'must not send a password without TLS: set security to tls or starttls',
    ),
])

const fileSchema = z.strictObject({
  channels: z
    .record(configName, channelSchema)
    .refine((channels) => Object.keys(channels).length <= 50, 'must have at most 50 channels')
    .default({}),
  deadManUrl: httpUrl.optional(),
  deadManUrlFile: file.optional(),
  consoleUrl: httpUrl.optional(),
})

const secretLeast = 16

/** `fail`: makes the error of a sentence about a mistake. Paths are relative to the file. */
export function readAlerting(path: string, fail: (problem: string) => Error): Alerting {
  const read = (name: string): string => {
    try {
      return readFileSync(resolve(dirname(path), name), 'utf8').trim()
    } catch (error) {
      throw fail(`cannot read ${name}: ${reasonOf(error)}`)
    }
  }
  const yaml = readYaml(read(path))
  if (!yaml.ok)
    throw fail(
      `${path}: ${yaml.problems.map(({ line, message }) => `line ${line ?? 1}: ${message}`).join('; ')}`,
    )
  const parsed = fileSchema.safeParse(yaml.data ?? {}, { error: wordsOfIssue })
  if (!parsed.success)
    throw fail(
      `${path}: ${parsed.error.issues.map(({ path: key, message }) => `${key.map(String).join('.') || 'the file'} ${message}`).join('; ')}`,
    )
  const { channels, deadManUrl, deadManUrlFile, consoleUrl } = parsed.data
  if (deadManUrl !== undefined && deadManUrlFile !== undefined)
    throw fail(`${path}: has both deadManUrl and deadManUrlFile: remove one of them`)
  const urlIn = (name: string): string => {
    const text = read(name)
    if (!isHttp(text)) throw fail(`${name}: must contain an http:// or https:// address without a user`)
    return text
  }
  const urlOf = (from: { url?: string | undefined; urlFile?: string | undefined }): string =>
    from.url ?? urlIn(from.urlFile ?? '')

  const channelOf = (name: string, given: z.output<typeof channelSchema>): AlertChannel => {
    const { severities, regions } = given
    const common = { name, severities, regions }
    switch (given.kind) {
      case 'webhook':
        return { ...common, kind: 'webhook', url: urlOf(given), secret: secretIn(given.secretFile) }
      case 'chat':
        return { ...common, kind: 'chat', url: urlOf(given) }
      case 'mail': {
        const { host, security, user, from, to } = given
        const port = given.port ?? { tls: 465, starttls: 587, none: 25 }[security]
        const password = given.passwordFile === undefined ? undefined : read(given.passwordFile)
        const ca = given.caFile === undefined ? undefined : read(given.caFile)
        return { ...common, kind: 'mail', host, port, security, user, password, ca, from, to }
      }
    }
  }
  const secretIn = (name: string): Buffer => {
    const text = read(name)
    const secret = text.startsWith(secretPrefix)
      ? Buffer.from(text.slice(secretPrefix.length), 'base64')
      : Buffer.from(text)
    if (secret.length < secretLeast) throw fail(`${name}: must have at least ${secretLeast} bytes`)
    return secret
  }
  return {
    channels: Object.entries(channels).map(([name, given]) => channelOf(name, given)),
    deadManUrl: deadManUrl ?? (deadManUrlFile === undefined ? undefined : urlIn(deadManUrlFile)),
    consoleUrl: consoleUrl?.replace(/\/+$/, ''),
  }
}

/** A secret in base64, as libraries for Standard Webhooks expect it. */
const secretPrefix = 'whsec_'

/** The destination of a channel for people to read, without parts that may be secret. */
export const channelTarget = (channel: AlertChannel): string =>
  channel.kind === 'mail' ? channel.to.join(', ') : new URL(channel.url).host
