/**
 * `imapfleet edges enroll`, `revoke` and `enrolments`: the NATS credential of an edge. It is printed or written once,
 * and not stored elsewhere.
 */
import { open, rm } from 'node:fs/promises'
import type { EnrolmentView } from '@imapfleet/api'
import type { Command } from 'commander'
import { Failure } from '../failure.ts'
import { durationOption, pageOptions, pageQuery, type PageOptions } from '../options.ts'
import { confirm } from '../prompt.ts'
import { edgeColumn } from '../print/edge-column.ts'
import { table, type Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import { isValid, validityText } from '../print/validity.ts'
import type { Shell } from '../shell.ts'

interface EnrollOptions {
  region: string
  out?: string
  expires?: number
}

const examples = `
Examples:
  imapfleet edges enroll eu-1 --region eu --out eu-1.creds
  imapfleet edges enroll eu-1 --region eu --expires 365d --out eu-1.creds
  imapfleet edges enroll eu-1 --region eu |
    ssh eu-1 'umask 077; cat > /etc/imapfleet/edge.creds'
  imapfleet edges revoke eu-1`

export function addEnrolments(edges: Command, shell: Shell): void {
  edges
    .command('enroll')
    .description('issue a credential for an edge; it is shown only once (needs the role admin)')
    .argument('<id>', 'name of the edge (edge.id in its file)')
    .requiredOption('--region <region>', 'its region (edge.region in its file)')
    .option('--out <file>', 'write it to a new file that only the owner can read, instead of printing it')
    .addOption(
      durationOption(
        '--expires <duration>',
        'NATS refuses it after this time (default: never); alerts tell before',
      ),
    )
    .addHelpText('after', examples)
    .action(async (id: string, { region, out, expires }: EnrollOptions, command: Command) => {
      const client = await shell.client(command)
      // Opened first, so that the credential is not lost if the file cannot be written.
      const file = out === undefined ? undefined : await newSecretFile(out)
      const made = await client
        .call('enrollEdge', {
          params: { id },
          body: { region, ...(expires !== undefined && { expiresInSeconds: Math.ceil(expires / 1000) }) },
        })
        .catch(async (error: unknown) => {
          await file?.remove()
          throw error
        })
      const { credentials, ...enrolment } = made
      await file?.write(credentials)
      const how = file ? `written to ${out}` : 'store it now, it is not shown again'
      shell.note(`credential ${made.key} of ${id} in ${region}; ${how}:`)
      if (file) shell.answer(command, enrolment, (page) => table(columns(Date.now()), [enrolment], page))
      else shell.answer(command, made, () => [credentials.trimEnd()])
    })

  edges
    .command('revoke')
    .description(
      'revoke the credentials of an edge: NATS refuses it, mail service continues (needs the role admin)',
    )
    .argument('<id>', 'name of the edge')
    .option('--key <key>', 'only the credential with this public key')
    .option('-y, --yes', 'do not ask for confirmation')
    .action(async (id: string, { key, yes }: { key?: string; yes?: true }, command: Command) => {
      const client = await shell.client(command)
      if (!yes)
        await confirm(
          `Revoke ${key === undefined ? 'every credential' : 'this credential'} of ${id}? ` +
            'This cannot be undone: the edge leaves the fleet until it gets a new one.',
          shell,
        )
      const revoked = await client.call('revokeEnrolments', { params: { id }, query: { key } })
      shell.answer(command, revoked, (page) => table(columns(Date.now()), revoked.enrolments, page))
      if (revoked.enrolments.some(({ enforcedAt }) => enforcedAt === null))
        throw new Failure(
          'refused',
          'the revocation is recorded, but NATS is unavailable: control will send it when NATS is back',
        )
    })

  pageOptions(edges.command('enrolments'))
    .description('all credentials of edges, newest first (needs the role admin)')
    .option('--edge <id>', 'only credentials of this edge')
    .action(async ({ edge, ...page }: PageOptions & { edge?: string }, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listEnrolments', { query: { ...pageQuery(page), edge } })
      shell.answerPage(command, list, list.enrolments, columns(Date.now()), 'there are no credentials yet')
    })
}

/** Also who revoked it, and whether NATS has stored that. */
function stateText(enrolment: EnrolmentView, now: number): string {
  const { revokedAt, revokedBy, enforcedAt } = enrolment
  const text = validityText(enrolment, now)
  if (revokedAt === null) return text
  return `${text} by ${revokedBy ?? 'unknown'}${enforcedAt === null ? ', not sent to NATS yet' : ''}`
}

const columns = (now: number): Column<EnrolmentView>[] => [
  edgeColumn('EDGE', ({ edge }) => edge),
  { title: 'REGION', cell: ({ region }) => region },
  { title: 'KEY', cell: ({ key }) => key },
  { title: 'BY', cell: ({ createdBy }) => createdBy },
  timeColumn('CREATED', ({ createdAt }) => createdAt),
  {
    title: 'STATE',
    hide: 'never',
    cell: (enrolment) => stateText(enrolment, now),
    style: (enrolment) => {
      if (isValid(enrolment, now)) return undefined
      return enrolment.revokedAt !== null && enrolment.enforcedAt === null ? 'red' : 'dim'
    },
  },
]

interface SecretFile {
  write(text: string): Promise<void>
  /** Removes the file, if it is not needed. */
  remove(): Promise<void>
}

async function newSecretFile(path: string): Promise<SecretFile> {
  const file = await open(path, 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    const reason = error.code === 'EEXIST' ? 'the file exists; remove it, or use another name' : error.message
    throw new Failure('usage', `cannot create ${path}: ${reason}`)
  })
  return {
    write: async (text) => {
      await file.writeFile(text)
      await file.close()
    },
    remove: async () => {
      await file.close()
      await rm(path)
    },
  }
}
