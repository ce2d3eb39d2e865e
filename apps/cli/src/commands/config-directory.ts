/**
 * All layers as a directory of files: `imapfleet config export`, and what `config diff` and `config apply` do with a
 * directory.
 */
import { layerOfText, layerText, safe, type LayerName, type RevisionView } from '@imapfleet/api'
import { ProblemError, type ApiClient } from '@imapfleet/client'
import { flattenLayer, isSecretKey, layerJsonSchema, redacted, type Layer } from '@imapfleet/config'
import type { Command } from 'commander'
import { Failure, mistaken, usage } from '../failure.ts'
import { readLayers, writeLayers, type FileChange } from '../layer-directory.ts'
import { changeBetween, isSame, missingSecrets, type LayerEdit } from '../layer-file.ts'
import { changeLines } from '../print/revision.ts'
import { someNames } from '../print/some-names.ts'
import { table, type Column } from '../print/table.ts'
import type { Shell } from '../shell.ts'
import { makeRevisions, type RevisionOptions } from './make-revisions.ts'

export interface DirectoryOptions extends RevisionOptions {
  prune?: true
}

const fileColumns: Column<FileChange>[] = [
  { title: 'LAYER', cell: ({ layer }) => layer },
  { title: 'FILE', cell: ({ path }) => path },
  {
    title: 'RESULT',
    cell: ({ what }) => what,
    style: ({ what }) => (what === 'unchanged' ? 'dim' : undefined),
  },
]

export function addConfigFiles(config: Command, shell: Shell): void {
  config
    .command('export')
    .description(
      'write all layers to a directory, one file each; files of layers that no longer exist are removed',
    )
    .argument('<directory>', 'made if it does not exist')
    .action(async (directory: string, _options: object, command: Command) => {
      const client = await shell.client(command)
      const { revision, layers } = await readAllLayers(client)
      // A directory without any file is taken for a mistake.
      const empty = { name: { kind: 'global' }, layer: {} } as const
      const written = await writeLayers(directory, layers.length === 0 ? [empty] : layers)
      if (!written.ok) throw mistaken(written.mistakes, directory)
      if (layers.length === 0) shell.note('the fleet sets nothing: edges use their own files')
      shell.answer(command, { revision, files: written.files }, (page) =>
        table(fileColumns, written.files, page),
      )
    })

  config
    .command('schema')
    .description('print the JSON Schema of a layer, by which editors complete and check its file')
    .action(() => shell.print([JSON.stringify(layerJsonSchema(), null, 2)]))
}

/** Leaves out layers without keys: they are equivalent to missing layers. */
async function readAllLayers(
  client: ApiClient,
): Promise<{ revision: number; layers: { name: LayerName; layer: Layer }[] }> {
  const { revision, layers } = await client.call('readConfig')
  const all = Object.entries(layers).map(([text, layer]) => {
    const name = layerOfText(text)
    // Its name becomes the name of a file.
    if (!name) throw usage(`the server has a layer that this version does not know: ${text}`)
    return { name, layer }
  })
  return { revision, layers: all.filter(({ layer }) => flattenLayer(layer).length > 0) }
}

interface LayerDifference {
  name: LayerName
  /** What the fleet has now. */
  has: Layer
  change: LayerEdit
  /** False: the layer is only in the fleet. */
  hasFile: boolean
}

export interface Differences {
  /** The newest revision when they were compared. */
  revision: number
  differences: LayerDifference[]
}

/** The layers of a directory that differ from those of the fleet, by name. Throws after mistakes in the files. */
export async function differencesOf(directory: string, client: ApiClient): Promise<Differences> {
  const read = await readLayers(directory)
  if (!read.ok) throw mistaken(read.mistakes, directory)
  const { revision, layers } = await readAllLayers(client)
  const current = new Map(layers.map(({ name, layer }) => [layerText(name), layer]))
  const mistakes: string[] = []
  const differences = read.files.map(({ name, path, layer, lineOf }): LayerDifference => {
    const has = current.get(layerText(name)) ?? {}
    for (const key of missingSecrets(has, layer))
      mistakes.push(
        `${path}:${lineOf(key)}: ${key} is the placeholder for a secret that the fleet does not have: set it first with \`imapfleet config set\``,
      )
    return { name, has, change: changeBetween(has, layer), hasFile: true }
  })
  if (mistakes.length > 0) throw mistaken(mistakes, directory)
  const files = new Set(read.files.map(({ name }) => layerText(name)))
  for (const { name, layer: has } of layers)
    if (!files.has(layerText(name)))
      differences.push({ name, has, change: changeBetween(has, {}), hasFile: false })
  const different = differences.filter(({ change }) => !isSame(change))
  return {
    revision,
    differences: different.toSorted((a, b) => (layerText(a.name) < layerText(b.name) ? -1 : 1)),
  }
}

interface ShownDifference {
  layer: string
  state: 'changed' | 'new' | 'not in the directory'
  changes: RevisionView['changes']
}

/** Prints them. Throws if there are any. */
export async function showDifferences(
  { revision, differences }: Differences,
  path: string,
  { client, command, shell }: { client: ApiClient; command: Command; shell: Shell },
): Promise<void> {
  const real = await withoutEqualSecrets({ revision, differences }, client, shell)
  const shown = real.map((difference): ShownDifference => {
    const { name, has, hasFile } = difference
    const isNew = flattenLayer(has).length === 0
    return {
      layer: layerText(name),
      state: !hasFile ? 'not in the directory' : isNew ? 'new' : 'changed',
      changes: changesOf(difference),
    }
  })
  shell.answer(command, { revision, equal: shown.length === 0, layers: shown }, ({ paint }) =>
    shown.length === 0
      ? [`no differences (revision ${revision})`]
      : shown.flatMap(({ layer, state, changes }) => [
          `${paint('bold', safe(layer))}${state === 'changed' ? '' : ` (${state})`}`,
          ...changeLines(changes, paint),
        ]),
  )
  if (shown.length > 0)
    throw new Failure(
      'different',
      `the fleet differs from ${path} in ${someNames(shown.map(({ layer }) => layer))}`,
    )
}

/** Without secrets: for a changed secret only that it changes. */
function changesOf({ has, change: { set, unset } }: LayerDifference): RevisionView['changes'] {
  const before = new Map(flattenLayer(has))
  const after = new Map(Object.entries(set))
  return [...after.keys(), ...unset].sort().map((key) => ({
    key,
    before: before.get(key) ?? null,
    after: isSecretKey(key) && after.has(key) ? redacted : (after.get(key) ?? null),
  }))
}

/**
 * The fleet does not show its secrets, so only control can compare those that are written in a file. It does so in a dry
 * run, which viewers may not make: for them such a secret counts as a difference.
 */
async function withoutEqualSecrets(
  { revision, differences }: Differences,
  client: ApiClient,
  shell: Shell,
): Promise<LayerDifference[]> {
  const isOfSecret = ({ change: { set } }: LayerDifference) => Object.keys(set).some(isSecretKey)
  const doubtful = differences.filter(isOfSecret)
  if (doubtful.length === 0) return differences
  const changes = doubtful.map(({ name, change }) => ({ layer: name, ...change }))
  try {
    const { revisions } = await client.call('changeLayers', {
      body: { changes, base: revision, dryRun: true },
    })
    const changed = new Map(
      revisions.map(({ revision: { layer, changes: its } }) => [
        layerText(layer),
        new Set(its.map(({ key }) => key)),
      ]),
    )
    return differences.flatMap((difference) => {
      if (!isOfSecret(difference)) return [difference]
      const keys = changed.get(layerText(difference.name))
      const set = Object.entries(difference.change.set).filter(([key]) => keys?.has(key))
      const change = { ...difference.change, set: Object.fromEntries(set) }
      return isSame(change) ? [] : [{ ...difference, change }]
    })
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'forbidden') throw error
    shell.note('secrets in files count as different: to compare them, the token needs the role operator')
    return differences
  }
}

/** All layers in one request, so all change or none. */
export async function applyDirectory(
  directory: string,
  options: DirectoryOptions,
  command: Command,
  shell: Shell,
): Promise<void> {
  const { revision, differences } = await differencesOf(directory, await shell.client(command))
  const absent = differences.filter(({ hasFile }) => !hasFile).map(({ name }) => layerText(name))
  if (absent.length > 0 && !options.prune)
    throw usage(
      `${directory} has no file for ${someNames(absent)}, which the fleet has: ` +
        `get it with \`imapfleet config export ${directory}\`, or remove it from the fleet with --prune`,
    )
  if (differences.length === 0)
    return shell.answer(command, { newest: revision, revisions: [] }, () => [
      `no change: the fleet is the same already (revision ${revision})`,
    ])
  let newest = revision
  await makeRevisions(
    {
      make: async (client, terms) => {
        const changes = differences.map(({ name, change }) => ({ layer: name, ...change }))
        // Based on the revision with which the files were compared.
        const made = await client.call('changeLayers', {
          body: { changes, ...terms, base: terms.base ?? revision },
        })
        newest = made.newest
        return made.revisions
      },
      answerWith: (revisions) => ({ newest, revisions }),
    },
    options,
    command,
    shell,
  )
}
