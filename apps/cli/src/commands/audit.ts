/** `imapfleet audit`: the audit log. */
import type { AuditEntry } from '@imapfleet/api'
import type { Command } from 'commander'
import { resolvedMoment, momentArgument, pageQuery, pageOptions, type PageOptions } from '../options.ts'
import type { Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import type { Shell } from '../shell.ts'

interface AuditOptions extends PageOptions {
  actor?: string
  action?: string
  target?: string
  from?: string
  to?: string
}

const examples = `
Examples:
  imapfleet audit --actor alice
  imapfleet audit --action config.revise --limit 100
  imapfleet audit --target region/eu --from -24h
  imapfleet audit --output json |
    jq '.entries[] | select(.action | startswith("trace"))'`

/** Null: there was no value before, or there is none now. */
const value = (data: AuditEntry['before']) => (data === null ? '' : JSON.stringify(data))

export const auditColumns: Column<AuditEntry>[] = [
  { title: 'NUMBER', cell: (entry) => String(entry.id), align: 'right' },
  { ...timeColumn('WHEN', (entry) => entry.at), hide: 'never' },
  { title: 'WHO', cell: (entry) => entry.actor },
  { title: 'ACTION', cell: (entry) => entry.action, cut: 'middle', hide: 'never', room: 16 },
  { title: 'TARGET', cell: (entry) => entry.target, cut: 'middle', room: 12 },
  { title: 'BEFORE', cell: (entry) => value(entry.before), hide: 'first', room: 20 },
  { title: 'AFTER', cell: (entry) => value(entry.after), hide: 'first', room: 20 },
]

export function addAudit(parent: Command, shell: Shell): void {
  pageOptions(parent.command('audit'))
    .description('the audit log, newest first (needs the role admin)')
    .option('--actor <name>', 'only actions of this token')
    .option('--action <action>', 'only this action, such as config.revise or token.create')
    .option('--target <text>', 'only targets that contain this, such as region/eu or alice@example.org')
    .option('--from <time>', 'only since then: a time ago, or a date and time', momentArgument)
    .option('--to <time>', 'only before then', momentArgument)
    .addHelpText('after', examples)
    .action(async (options: AuditOptions, command: Command) => {
      const { actor, action, target } = options
      const now = Date.now()
      const [from, to] = [options.from, options.to].map((moment) => moment && resolvedMoment(moment, now))
      const client = await shell.client(command)
      const list = await client.call('listAudit', {
        query: { ...pageQuery(options), actor, action, target, from, to },
      })
      shell.answerPage(command, list, list.entries, auditColumns, 'no entries match')
    })
}
