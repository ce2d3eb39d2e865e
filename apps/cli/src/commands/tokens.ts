/** `imapfleet tokens`: tokens of the API. A new token is printed once, alone on stdout. */
import {
  limitsText,
  roleSchema,
  scopeSchema,
  type AccessLimits,
  type Role,
  type Scope,
  type TokenView,
} from '@imapfleet/api'
import { Option, type Command } from 'commander'
import { durationOption, pageByIdOptions, pageQuery, type IdPageOptions } from '../options.ts'
import { safe } from '../print/safe.ts'
import { table, type Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import { dayAndClock } from '../print/time.ts'
import type { Shell } from '../shell.ts'

interface CreateOptions {
  role: Role
  scope: Scope[]
  region?: string[]
  domain?: string[]
  expires?: number
}

const examples = `
Examples:
  imapfleet tokens create grafana --role viewer
  imapfleet tokens create alice --role operator --scope trace-bodies --expires 90d
  imapfleet tokens create team-eu --role operator --region eu
  imapfleet tokens create shop --role operator --domain shop.example
  imapfleet tokens revoke 7b7c1d3c-6a0b-4f0e-9f3e-0d9b8a1c2d3e`

export function addTokens(parent: Command, shell: Shell): void {
  const tokens = parent
    .command('tokens')
    .description('access tokens of programs: list, create, revoke (needs the role admin)')
    .addHelpText('after', examples)
  const list = async (options: IdPageOptions, command: Command) => {
    const client = await shell.client(command)
    const answered = await client.call('listTokens', { query: pageQuery(options) })
    shell.answer(command, answered, (page) => table(tokenColumns(Date.now()), answered.tokens, page))
    shell.noteNext(command, answered.next)
  }
  pageByIdOptions(tokens.command('list', { isDefault: true }))
    .description('all tokens, including revoked and expired ones, newest first (the default)')
    .action(list)

  tokens
    .command('create')
    .description('make a token; it is printed only once')
    .argument('<name>', 'its owner, as the audit log shows it')
    .addOption(
      new Option('--role <role>', 'what the token allows; each role includes the previous one')
        .choices(roleSchema.options)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--scope <scope...>', 'a right that no role includes')
        .choices(scopeSchema.options)
        .default([]),
    )
    .option('--region <region...>', 'limit it to these regions (not for admins)')
    .option('--domain <domain...>', 'limit it to the users of these domains (not for admins)')
    .addOption(durationOption('--expires <duration>', 'expires after this time (default: never)'))
    .action(async (name: string, options: CreateOptions, command: Command) => {
      const { role, scope, expires, region, domain } = options
      const client = await shell.client(command)
      const expiry = expires === undefined ? {} : { expiresInSeconds: Math.ceil(expires / 1000) }
      const limits: AccessLimits = { ...(region && { regions: region }), ...(domain && { domains: domain }) }
      const body = { name, role, scopes: scope, ...(region || domain ? { limits } : {}), ...expiry }
      const made = await client.call('createToken', { body })
      shell.note(`token ${made.id} of ${safe(made.name)}; store it now, it is not shown again:`)
      shell.answer(command, made, () => [safe(made.token)])
    })

  tokens
    .command('revoke')
    .description('revoke a token, effective with the next request')
    .argument('<id>', 'id of the token')
    .action(async (id: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const token = await client.call('revokeToken', { params: { id } })
      shell.answer(command, token, (page) => table(tokenColumns(Date.now()), [token], page))
    })
}

/** `valid`, `valid until ...`, `expired ...`, `revoked ...`. */
function validity({ expiresAt, revokedAt }: Pick<TokenView, 'expiresAt' | 'revokedAt'>, now: number): string {
  if (revokedAt !== null) return `revoked ${dayAndClock(revokedAt)}`
  if (expiresAt === null) return 'valid'
  return `${Date.parse(expiresAt) > now ? 'valid until' : 'expired'} ${dayAndClock(expiresAt)}`
}

export function tokenColumns(now: number): Column<TokenView>[] {
  return [
    { title: 'ID', cell: (token) => token.id, cut: 'never' },
    { title: 'NAME', cell: (token) => token.name },
    { title: 'ROLE', cell: (token) => token.role },
    { title: 'SCOPES', cell: (token) => token.scopes.join(', '), hide: 'first' },
    { title: 'LIMITS', cell: (token) => limitsText(token.limits) },
    { title: 'BY', cell: (token) => token.createdBy, hide: 'first' },
    timeColumn('CREATED', (token) => token.createdAt),
    {
      title: 'STATE',
      hide: 'never',
      cell: (token) => validity(token, now),
      style: (token) => (validity(token, now).startsWith('valid') ? undefined : 'dim'),
    },
    {
      title: 'LAST USED',
      hide: 'first',
      cell: (token) => (token.lastUsedAt === null ? 'never' : dayAndClock(token.lastUsedAt)),
    },
  ]
}
