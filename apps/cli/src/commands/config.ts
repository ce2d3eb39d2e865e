/** `imapfleet config`: reads the fleet's configuration. config-change.ts changes it. */
import { layerText, type RevisionView } from '@imapfleet/api'
import { flattenLayer, type JsonValue, type Layer } from '@imapfleet/config'
import type { Command } from 'commander'
import { pageOptions, pageQuery, wholeArgument, type PageOptions } from '../options.ts'
import { revisionLines } from '../print/revision.ts'
import { table, type Column } from '../print/table.ts'
import { dayAndClock } from '../print/time.ts'
import type { Shell } from '../shell.ts'
import { addConfigApply } from './config-apply.ts'
import { addConfigChange, addConfigRollback } from './config-change.ts'
import { addConfigKeys } from './config-keys.ts'

export function addConfig(parent: Command, shell: Shell): void {
  const config = parent
    .command('config')
    .description('the configuration of the fleet, in layers: global, then region, then edge')
    .addHelpText('after', examples)
  addConfigChange(config, shell)
  addGet(config, shell)
  addHistory(config, shell)
  addShow(config, shell)
  addConfigKeys(config, shell)
  addConfigApply(config, shell)
  addConfigRollback(config, shell)
}

const examples = `
Examples:
  imapfleet config set pool.idleTimeoutMs 60000 --region eu --note 'fewer idle connections'
  imapfleet config set clients.connectionsMax 500 --edge eu-1 --dry-run
  imapfleet config unset pool.idleTimeoutMs --region eu
  imapfleet config get --edge eu-1
  imapfleet config keys pool
  imapfleet config set pool.usesMax 50 --rollout --canary eu-1 --soak 5m
  imapfleet config history
  imapfleet config rollback 41 --dry-run`

interface Row {
  layer: string
  key: string
  value: JsonValue
}

const getColumns: Column<Row>[] = [
  { title: 'LAYER', cell: (row) => row.layer },
  { title: 'KEY', cell: (row) => row.key },
  { title: 'VALUE', cell: (row) => JSON.stringify(row.value) },
]

function addGet(parent: Command, shell: Shell): void {
  parent
    .command('get')
    .description('the keys set in each layer; with --edge the merged result for one edge')
    .argument('[key]', 'only this key, or the keys below it')
    .option('--edge <id>', 'the layers merged for this edge')
    .action(async (key: string | undefined, options: { edge?: string }, command: Command) => {
      const client = await shell.client(command)
      const inAsked = (row: Row) => key === undefined || row.key === key || row.key.startsWith(`${key}.`)
      const rowsOf = (layer: string, values: Layer) =>
        flattenLayer(values)
          .map(([leaf, value]): Row => ({ layer, key: leaf, value }))
          .filter(inAsked)
      const answered =
        options.edge === undefined
          ? await client.call('readConfig')
          : await client.call('resolveConfig', { query: { edge: options.edge } })
      const rows =
        'layers' in answered
          ? Object.entries(answered.layers).flatMap(([name, layer]) => rowsOf(name, layer))
          : rowsOf(`for ${options.edge}`, answered.layer)
      if (rows.length === 0)
        shell.note(
          `${key ?? 'nothing'} is${key === undefined ? '' : ' not'} set by the fleet: edges use their own files`,
        )
      shell.answer(command, answered, (page) => (rows.length === 0 ? [] : table(getColumns, rows, page)))
    })
}

const historyColumns: Column<RevisionView>[] = [
  { title: 'REVISION', cell: (row) => String(row.revision), align: 'right' },
  { title: 'WHEN', cell: (row) => dayAndClock(row.createdAt) },
  { title: 'WHO', cell: (row) => row.createdBy },
  { title: 'LAYER', cell: (row) => layerText(row.layer) },
  { title: 'STATE', cell: (row) => row.state ?? '' },
  { title: 'CHANGES', cell: (row) => row.changes.map(({ key }) => key).join(', ') },
  { title: 'NOTE', cell: (row) => row.note },
]

function addHistory(parent: Command, shell: Shell): void {
  pageOptions(parent.command('history'))
    .description('revisions, newest first')
    .action(async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listRevisions', { query: pageQuery(options) })
      if (list.revisions.length === 0) shell.note('there are no revisions yet')
      shell.answer(command, list, (page) => table(historyColumns, list.revisions, page))
      shell.noteNext(command, list.next)
    })
}

function addShow(parent: Command, shell: Shell): void {
  parent
    .command('show')
    .description('one revision: its changes, and its state on each edge')
    .argument('<revision>', 'number of the revision', wholeArgument(1))
    .action(async (revision: number, _options: object, command: Command) => {
      const client = await shell.client(command)
      const status = await client.call('readRevision', { params: { revision } })
      shell.answer(command, status, (page) => revisionLines(status, page))
    })
}
