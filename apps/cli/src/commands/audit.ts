/** `imapfleet audit`: the audit log. */
import type { AuditEntry } from '@imapfleet/api'
import type { Command } from 'commander'
import { pageQuery, pageOptions, type PageOptions } from '../options.ts'
import { table, type Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import type { Shell } from '../shell.ts'

interface AuditOptions extends PageOptions {
  actor?: string
  action?: string
}

const examples = `
Examples:
  imapfleet audit --actor alice
  imapfleet audit --action config.revise --limit 100
  imapfleet audit --output json | jq '.entries[] | select(.action | startswith("trace"))'`

/** Null: there was no value before, or there is none now. */
const value = (data: AuditEntry['before']) => (data === null ? '' : JSON.stringify(data))

const columns: Column<AuditEntry>[] = [
  { title: 'NUMBER', cell: (entry) => String(entry.id), align: 'right' },
  timeColumn('WHEN', (entry) => entry.at),
  { title: 'WHO', cell: (entry) => entry.actor },
  { title: 'ACTION', cell: (entry) => entry.action },
  { title: 'TARGET', cell: (entry) => entry.target },
  { title: 'BEFORE', cell: (entry) => value(entry.before) },
  { title: 'AFTER', cell: (entry) => value(entry.after) },
]

export function addAudit(parent: Command, shell: Shell): void {
  pageOptions(parent.command('audit'))
    .description('the audit log, newest first (needs the role admin)')
    .option('--actor <name>', 'only actions of this token')
    .option('--action <action>', 'only this action, such as config.revise or token.create')
    .addHelpText('after', examples)
    .action(async (options: AuditOptions, command: Command) => {
      const { actor, action } = options
      const client = await shell.client(command)
      const list = await client.call('listAudit', { query: { ...pageQuery(options), actor, action } })
      if (list.entries.length === 0) shell.note('no entries')
      shell.answer(command, list, (page) => table(columns, list.entries, page))
      shell.noteNext(command, list.next)
    })
}
