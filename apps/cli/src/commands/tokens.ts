/** `imapfleet tokens`: tokens of the API. A new token is printed once, alone on stdout. */
import {
  limitsText,
  roleSchema,
  safe,
  scopeSchema,
  type AccessLimits,
  type Role,
  type Scope,
  type TokenView,
} from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import { Option, type Command } from 'commander'
import { usage } from '../failure.ts'
import { durationOption, pageByIdOptions, pageQuery, type IdPageOptions } from '../options.ts'
import { table, type Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import { dayAndClock } from '../print/time.ts'
import { isValid, validityText } from '../print/validity.ts'
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
  imapfleet tokens create alice --role operator --scope trace-bodies \\
    --expires 90d
  imapfleet tokens create team-eu --role operator --region eu
  imapfleet tokens create shop --role operator --domain shop.example
  imapfleet tokens revoke grafana`

export function addTokens(parent: Command, shell: Shell): void {
  const tokens = parent
    .command('tokens')
    .description('access tokens of programs: list, create, revoke (needs the role admin)')
    .addHelpText('after', examples)
  const list = async (options: IdPageOptions, command: Command) => {
    const client = await shell.client(command)
    const answered = await client.call('listTokens', { query: pageQuery(options) })
    shell.answerPage(command, answered, answered.tokens, tokenColumns(Date.now()), 'there are no tokens yet')
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
      shell.note(`token ${made.id} of ${made.name}; store it now, it is not shown again:`)
      shell.answer(command, made, () => [safe(made.token)])
    })

  tokens
    .command('revoke')
    .description('revoke a token, effective with the next request; says which tokens it has made')
    .argument('<id or name>', 'id of the token, or its name if only one valid token has it')
    .action(async (given: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const id = isId(given) ? given : await idOfName(client, given)
      const token = await client.call('revokeToken', { params: { id } })
      shell.answer(command, token, (page) => table(tokenColumns(Date.now()), [token], page))
      for (const made of (await validTokens(client)).filter(({ createdBy }) => createdBy === token.name))
        shell.note(`${token.name} made the token ${made.name} (${made.id}), which is still valid`)
      shell.note(`what ${token.name} did: imapfleet audit --actor ${token.name} --from -7d`)
    })
}

const isId = (text: string): boolean => /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i.test(text)

async function validTokens(client: ApiClient): Promise<TokenView[]> {
  const all: TokenView[] = []
  for (let before: string | null | undefined; before !== null;) {
    const page = await client.call('listTokens', { query: { limit: 500, before } })
    all.push(...page.tokens)
    before = page.next
  }
  const now = Date.now()
  return all.filter((token) => isValid(token, now))
}

async function idOfName(client: ApiClient, name: string): Promise<string> {
  const [token, ...others] = (await validTokens(client)).filter((each) => each.name === name)
  if (!token) throw usage(`no valid token is named ${name}: \`imapfleet tokens\` lists all`)
  if (others.length === 0) return token.id
  throw usage(
    `${others.length + 1} valid tokens are named ${name}: give one of ${[token, ...others].map(({ id }) => id).join(', ')}`,
  )
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
      cut: 'never',
      hide: 'never',
      cell: (token) => validityText(token, now),
      style: (token) => (isValid(token, now) ? undefined : 'dim'),
    },
    {
      title: 'LAST USED',
      cut: 'never',
      hide: 'first',
      cell: (token) => (token.lastUsedAt === null ? 'never' : dayAndClock(token.lastUsedAt)),
    },
    {
      title: 'FROM',
      hide: 'first',
      cell: ({ usedFrom }) => usedFrom.map(({ address }) => address).join(', '),
    },
  ]
}
