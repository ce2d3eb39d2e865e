/**
 * `imapfleet revoke` and `revocations`: edges stop reusing the server connections of a user or domain. A silent edge
 * does so before it reuses any connection. The command waits, because until then the revocation is not effective.
 */
import type { FleetTarget, RevocationStatus } from '@imapfleet/api'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { durationOption, pageQuery, pageOptions, wholeArgument, type PageOptions } from '../options.ts'
import { operationLines } from '../print/operation.ts'
import { revocationColumns, revocationLines, whatIsMissing } from '../print/revocation.ts'
import { duration } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { waitFor } from '../waiting.ts'
import {
  complainOfOperation,
  confirmOperation,
  followOperation,
  paceOf,
  paceOptions,
  type PaceOptions,
} from './stages.ts'

interface RevokeOptions extends PaceOptions {
  note: string
  region?: string
  wait: boolean
  timeout: number
}

const examples = `
Examples:
  imapfleet revoke user alice@example.org --note 'password changed'
  imapfleet revoke domain example.org --first eu
  imapfleet revocations
  imapfleet revocations show 12`

export function addRevoke(parent: Command, shell: Shell): void {
  const revoke = parent
    .command('revoke')
    .description(
      'stop reusing the server connections of a user or domain; a silent edge does so when it returns',
    )
    .addHelpText('after', examples)
  addKind(revoke, 'user', 'login name, as the mail client sends it', shell)
  addKind(revoke, 'domain', 'every user whose name ends in @DOMAIN', shell)

  const revocations = watchable(
    pageOptions(parent.command('revocations')).description('revocations, newest first'),
    shell,
    async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listRevocations', { query: pageQuery(options) })
      shell.answerPage(command, list, list.revocations, revocationColumns, 'there are no revocations yet')
    },
  )

  revocations
    .command('show')
    .description('one revocation, and its state on each edge')
    .argument('<number>', 'number of the revocation', wholeArgument(1))
    .action(async (sequence: number, _options: object, command: Command) => {
      const client = await shell.client(command)
      const status = await client.call('readRevocation', { params: { sequence } })
      shell.answer(command, status, (page) => revocationLines(status, page))
      complain(status)
    })
}

function addKind(revoke: Command, kind: 'user' | 'domain', help: string, shell: Shell): void {
  const plain = revoke.command(kind)
  const withOptions = kind === 'domain' ? paceOptions(plain) : plain
  withOptions
    .description(`revoke a ${kind}, and wait until each edge has applied it`)
    .argument('<name>', help)
    .option('--note <text>', 'why, for the record', '')
    .option('--region <region>', 'only on the edges of this region')
    .option('--wait', 'wait until each edge has applied it (the default)', true)
    .option('--no-wait', 'do not wait for the edges')
    .addOption(durationOption('--timeout <duration>', 'how long to wait', '30s'))
    .action(async (subject: string, options: RevokeOptions, command: Command) => {
      const { note, region, wait, timeout } = options
      const client = await shell.client(command)
      const target: FleetTarget = region === undefined ? { kind: 'all' } : { kind: 'region', name: region }
      if (kind === 'domain')
        await confirmOperation(
          client,
          { target, operation: { kind: 'revocation', of: kind, subject } },
          options,
          shell,
        )
      const made = await client.call('addRevocation', {
        body: { kind, subject, note, region, ...paceOf(options) },
      })
      if (made.operation) {
        const operation = wait ? await followOperation(client, made.operation, shell) : made.operation
        shell.answer(command, operation, (page) => operationLines(operation, page))
        if (wait) complainOfOperation(operation)
        return
      }
      const isDone = ({ edges }: RevocationStatus) => edges.every(({ status }) => status !== 'pending')
      if (wait && !isDone(made)) shell.note(`waiting for the edges (at most ${duration(timeout)})`)
      const params = { sequence: made.revocation.sequence }
      const read = () => client.call('readRevocation', { params })
      const reached = wait ? await waitFor(made, read, { isDone, timeoutMs: timeout }) : made
      shell.answer(command, reached, (page) => revocationLines(reached, page))
      if (wait) complain(reached)
    })
}

function complain(status: RevocationStatus): void {
  const missing = whatIsMissing(status)
  if (missing !== undefined)
    throw new Failure('refused', `revocation ${status.revocation.sequence} is recorded, but ${missing}`)
}
