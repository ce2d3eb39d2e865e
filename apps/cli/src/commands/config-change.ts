/** `imapfleet config set`, `unset`, `undo` and `rollback`: change one layer, which makes a revision. */
import type { LayerName, RevisionRequest } from '@imapfleet/api'
import { parseValue, type JsonValue } from '@imapfleet/config'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { wholeArgument } from '../options.ts'
import type { Shell } from '../shell.ts'
import { makeRevisions, revisionOptions, type RevisionOptions } from './make-revisions.ts'

export interface ChangeOptions extends RevisionOptions {
  global?: true
  region?: string
  edge?: string
}

export function addConfigChange(config: Command, shell: Shell): void {
  const set = config
    .command('set')
    .description('set one key in a layer, and wait until the edges have applied it')
    .argument('<key>', 'dotted key, such as pool.idleTimeoutMs')
    .argument('<value>', 'as in YAML: 60000, true, text, [a, b]')
  changeOptions(set).action(async (key: string, value: string, options: ChangeOptions, command: Command) => {
    await change({ set: { [key]: valueOf(value) } }, options, command, shell)
  })

  const unset = config
    .command('unset')
    .description('remove keys from a layer, so that the layer below applies')
    .argument('<keys...>', 'dotted keys')
  changeOptions(unset).action(async (keys: string[], options: ChangeOptions, command: Command) => {
    await change({ unset: keys }, options, command, shell)
  })
}

/** Options that select a layer. */
export const layerOptions = (command: Command) =>
  command
    .option('--global', 'the global layer (the default)')
    .option('--region <region>', 'the layer of this region')
    .option('--edge <id>', 'the layer of this edge')

export const changeOptions = (command: Command) => revisionOptions(layerOptions(command))

/** Values that JSON cannot express (`.inf`, `.nan`) would silently become null. */
function valueOf(text: string): JsonValue {
  const value = parseValue(text)
  if (value === undefined || (typeof value === 'number' && !Number.isFinite(value)))
    throw usage(
      `the value ${JSON.stringify(text)} cannot be stored: use a number, true, false, text or a list`,
    )
  return value
}

export function layerOf({ global, region, edge }: ChangeOptions): LayerName {
  if ([global, region, edge].filter((given) => given !== undefined).length > 1)
    throw usage('give only one of --global, --region and --edge')
  if (edge !== undefined) return { kind: 'edge', name: edge }
  if (region !== undefined) return { kind: 'region', name: region }
  return { kind: 'global' }
}

/** The change of the layer that the options select. */
export async function change(
  what: Pick<RevisionRequest, 'set' | 'unset'>,
  options: ChangeOptions,
  command: Command,
  shell: Shell,
): Promise<void> {
  const layer = layerOf(options)
  await makeRevisions(
    {
      make: async (client, terms) => [
        await client.call('writeRevision', { body: { ...what, ...terms, layer } }),
      ],
      answerWith: ([status]) => status,
    },
    options,
    command,
    shell,
  )
}

export function addConfigReturn(config: Command, shell: Shell): void {
  const back = (word: 'undo' | 'rollback', route: 'undoRevision' | 'restoreRevision', help: string) => {
    const command = config
      .command(word)
      .description(help)
      .argument('<revision>', 'the revision; it also selects the layer', wholeArgument(1))
    revisionOptions(command).action(async (revision: number, options: RevisionOptions, self: Command) => {
      await makeRevisions(
        {
          make: async (client, body) => [await client.call(route, { params: { revision }, body })],
          answerWith: ([status]) => status,
        },
        options,
        self,
        shell,
      )
    })
  }
  back('undo', 'undoRevision', 'give the keys that this revision changed their values from before it')
  back(
    'rollback',
    'restoreRevision',
    'restore a layer to its state after this revision; `config history` lists revisions',
  )
}
