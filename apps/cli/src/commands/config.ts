/** `imapfleet config`: reads the fleet's configuration. config-change.ts changes it. */
import { layerText, type RevisionView, type RolloutSummary } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import { flattenLayer, mergeLayers, type JsonValue, type Layer } from '@imapfleet/config'
import type { Command } from 'commander'
import { Failure, usage } from '../failure.ts'
import { pageOptions, pageQuery, wholeArgument, type PageOptions } from '../options.ts'
import { revisionLines } from '../print/revision.ts'
import { underWayLines } from '../print/rollout.ts'
import { table, type Column } from '../print/table.ts'
import { timeColumn } from '../print/time-column.ts'
import type { Shell } from '../shell.ts'
import { watchable } from '../watching.ts'
import { addConfigApply } from './config-apply.ts'
import { addConfigChange, addConfigReturn } from './config-change.ts'
import { addConfigFiles } from './config-directory.ts'
import { addConfigKeys } from './config-keys.ts'
import { readEdges } from './edges.ts'

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
  addConfigFiles(config, shell)
  addConfigApply(config, shell)
  addConfigReturn(config, shell)
}

const examples = `
Examples:
  imapfleet config set pool.idleTimeoutMs 60000 --region eu \\
    --note 'fewer idle connections'
  imapfleet config set clients.connectionsMax 500 --edge eu-1 --dry-run
  imapfleet config unset pool.idleTimeoutMs --region eu
  imapfleet config get --edge eu-1
  imapfleet config get pool --region eu
  imapfleet config keys pool
  imapfleet config set pool.usesMax 50 --rollout --canary eu-1 --soak 5m
  imapfleet config export fleet && imapfleet config diff fleet
  imapfleet config history
  imapfleet config undo 42
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
    .description('the keys set in each layer; with --edge or --region what results for one edge or region')
    .argument('[key]', 'only this key, or the keys below it')
    .option('--edge <id>', 'the layers merged for this edge, and where each value comes from')
    .option(
      '--region <region>',
      'the global layer and that of this region, merged, and where each value comes from',
    )
    .action(
      async (key: string | undefined, options: { edge?: string; region?: string }, command: Command) => {
        if (options.edge !== undefined && options.region !== undefined)
          throw usage('give only one of --edge and --region')
        const client = await shell.client(command)
        // The values of an edge include those of rollouts that have reached it.
        const rollouts = options.edge === undefined ? await rolloutsOf(client, options.region) : []
        const { data, rows: all } = await readRows(client, options, rollouts)
        const underWay = underWayLines(rollouts)
        const rows = all.filter(
          (row) => key === undefined || row.key === key || row.key.startsWith(`${key}.`),
        )
        if (rows.length === 0)
          shell.note(
            options.edge === undefined
              ? `no completed revision sets ${key ?? 'anything'}${underWay.length > 0 ? '' : ': edges use their own files'}`
              : `no revision sets ${key ?? 'anything'} for ${options.edge}: it uses its own file`,
          )
        shell.answer(command, data, (page) => table(getColumns, rows, page))
        for (const line of underWay) shell.note(line)
      },
    )
}

/** The newest rollouts of all layers, or of those that concern a region. */
async function rolloutsOf(client: ApiClient, region: string | undefined): Promise<readonly RolloutSummary[]> {
  const { rollouts } = await client.call('listRollouts', { query: { limit: 10 } })
  return rollouts.filter(
    ({ layer }) =>
      region === undefined || layer.kind === 'global' || (layer.kind === 'region' && layer.name === region),
  )
}

/** The keys of all layers, or of those that result for one edge or region. */
async function readRows(
  client: ApiClient,
  { edge, region }: { edge?: string; region?: string },
  rollouts: readonly RolloutSummary[],
): Promise<{ data: unknown; rows: Row[] }> {
  const rowsOf = (layer: string, values: Layer) =>
    flattenLayer(values).map(([key, value]): Row => ({ layer, key, value }))
  if (edge !== undefined) {
    const [resolved, { layers }, { region: its }] = await Promise.all([
      client.call('resolveConfig', { query: { edge } }),
      client.call('readConfig'),
      client.call('readEdge', { params: { id: edge } }),
    ])
    const chain = [`edge/${edge}`, `region/${its}`, 'global']
    return { data: resolved, rows: rowsWithOrigin(resolved, layers, chain) }
  }
  const config = await client.call('readConfig')
  if (region === undefined)
    return {
      data: config,
      rows: Object.entries(config.layers).flatMap(([name, layer]) => rowsOf(name, layer)),
    }
  const name = layerText({ kind: 'region', name: region })
  if (config.layers[name] === undefined) await checkRegion(client, region, rollouts)
  const own = config.layers[name] ?? {}
  const layer = mergeLayers(config.layers['global'] ?? {}, own)
  const ownKeys = new Set(flattenLayer(own).map(([key]) => key))
  const rows = flattenLayer(layer).map(([key, value]): Row => ({
    ...{ key, value },
    layer: ownKeys.has(key) ? name : 'global',
  }))
  return { data: { revision: config.revision, layer }, rows }
}

/** A region without a layer is one that an edge or a rollout is in. */
async function checkRegion(
  client: ApiClient,
  region: string,
  rollouts: readonly RolloutSummary[],
): Promise<void> {
  if (rollouts.some(({ layer }) => layer.kind === 'region')) return
  if ((await readEdges(client)).some((edge) => edge.region === region)) return
  throw new Failure(
    'refused',
    `there is no region ${region}, or it is outside the limits of the token: \`imapfleet edges\` lists the regions`,
  )
}

/** `chain`: names of layers, the highest first. A revision that is being rolled out is not in the layers yet. */
export function rowsWithOrigin(
  { revision, layer }: { revision: number; layer: Layer },
  layers: Readonly<Record<string, Layer>>,
  chain: readonly string[],
): Row[] {
  const origins = new Map<string, { layer: string; text: string }>()
  for (const name of chain.toReversed())
    for (const [key, value] of flattenLayer(layers[name] ?? {}))
      origins.set(key, { layer: name, text: JSON.stringify(value) })
  return flattenLayer(layer).map(([key, value]) => {
    const origin = origins.get(key)
    const isIn = origin !== undefined && origin.text === JSON.stringify(value)
    return { layer: isIn ? origin.layer : `rollout of ${revision}`, key, value }
  })
}

export const historyColumns: Column<RevisionView>[] = [
  { title: 'REVISION', cell: (row) => String(row.revision), align: 'right' },
  { ...timeColumn('WHEN', (row) => row.createdAt), hide: 'never' },
  { title: 'WHO', cell: (row) => row.createdBy, hide: 'first' },
  { title: 'LAYER', cell: (row) => layerText(row.layer) },
  { title: 'STATE', cell: (row) => row.state ?? '', cut: 'never' },
  { title: 'CHANGES', cell: (row) => row.changes.map(({ key }) => key).join(', ') },
  { title: 'NOTE', cell: (row) => row.note, hide: 'first', room: 12 },
]

function addHistory(parent: Command, shell: Shell): void {
  pageOptions(parent.command('history'))
    .description('revisions, newest first')
    .action(async (options: PageOptions, command: Command) => {
      const client = await shell.client(command)
      const list = await client.call('listRevisions', { query: pageQuery(options) })
      shell.answerPage(command, list, list.revisions, historyColumns, 'there are no revisions yet')
    })
}

function addShow(parent: Command, shell: Shell): void {
  watchable(
    parent
      .command('show')
      .description('one revision: its changes, and its state on each edge')
      .argument('<revision>', 'number of the revision', wholeArgument(1)),
    shell,
    async (revision: number, _options: object, command: Command) => {
      const client = await shell.client(command)
      const status = await client.call('readRevision', { params: { revision } })
      shell.answer(command, status, (page) => revisionLines(status, page))
    },
  )
}
