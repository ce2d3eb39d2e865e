/**
 * `imapfleet config apply`, `diff` and `import`: one layer from a file, or all layers from a directory, which
 * config-directory.ts reads.
 */
import { readFile, stat } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { layerText, type LayerName } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import {
  detectFormat,
  layerFromImapproxyConf,
  printProblem,
  printReportRow,
  type JsonValue,
  type Layer,
} from '@imapfleet/config'
import type { Command } from 'commander'
import { Failure, failureOf, mistaken, usage } from '../failure.ts'
import { changeBetween, isSame, missingSecrets, parseLayer } from '../layer-file.ts'
import type { Shell } from '../shell.ts'
import { change, changeOptions, layerOf, layerOptions, type ChangeOptions } from './config-change.ts'
import { applyDirectory, differencesOf, showDifferences, type DirectoryOptions } from './config-directory.ts'

const source = [
  '<path>',
  'YAML with the keys of one layer, - for standard input, or a directory with all layers',
] as const

type ApplyOptions = ChangeOptions & DirectoryOptions

const applyExamples = `
Examples:
  imapfleet config export fleet                 all layers as files
  imapfleet config diff fleet                   0: equal, 1: different, 2: error
  imapfleet config apply fleet -m 'release 41'  all layers at once, or none
  imapfleet config apply eu.yaml --region eu    one layer

The files are global.yaml, regions/eu.yaml, edges/eu-1.yaml and so on.`

export function addConfigApply(config: Command, shell: Shell): void {
  changeOptions(config.command('apply').argument(...source))
    .description('make the layers equal to files: keys that are not in the file of a layer are unset')
    .option('--prune', 'with a directory: also remove layers that have no file in it')
    .addHelpText('after', applyExamples)
    .action(async (path: string, options: ApplyOptions, command: Command) => {
      if (await isDirectory(path)) {
        refuseLayerOption(options)
        return await applyDirectory(path, options, command, shell)
      }
      if (options.prune) throw usage('--prune needs a directory: a file is one layer')
      const wanted = await readLayer(path, shell)
      const client = await shell.client(command)
      const { layer, revision } = await currentLayer(client, layerOf(options))
      refuseMissing(layer, wanted, path)
      // Based on this revision: the server refuses if another one was written in between.
      await change(changeBetween(layer, wanted), { base: revision, ...options }, command, shell)
    })

  layerOptions(config.command('diff').argument(...source))
    .description(
      'show what `config apply` would change; exit status 1 if the fleet differs, 2 after an error',
    )
    .addHelpText('after', applyExamples)
    .action(async (path: string, options: ChangeOptions, command: Command) => {
      await withStatus2(async () => {
        const client = await shell.client(command)
        if (await isDirectory(path)) {
          refuseLayerOption(options)
          return await showDifferences(await differencesOf(path, client), path, { client, command, shell })
        }
        const wanted = await readLayer(path, shell)
        const name = layerOf(options)
        const { layer, revision } = await currentLayer(client, name)
        refuseMissing(layer, wanted, path)
        const only = { name, has: layer, change: changeBetween(layer, wanted), hasFile: true }
        const differences = isSame(only.change) ? [] : [only]
        await showDifferences({ revision, differences }, path, { client, command, shell })
      })
    })

  changeOptions(config.command('import').argument('<file>', 'an imapproxy.conf; - reads standard input'))
    .description('set the keys of an imapproxy.conf in a layer, and report how each line was understood')
    .action(async (path: string, options: ChangeOptions, command: Command) => {
      const { set, report } = layerOfConfFile(await readText(path, shell.stdin), path)
      for (const line of report) shell.note(line)
      await change({ set, unset: [] }, options, command, shell)
    })
}

/** As diff(1): 1 means only that there are differences. */
async function withStatus2(compare: () => Promise<void>): Promise<void> {
  try {
    await compare()
  } catch (error) {
    const failure = failureOf(error)
    throw failure && failure.kind !== 'different'
      ? new Failure('usage', failure.message, failure.details)
      : error
  }
}

/** A path that does not exist is not one; reading it then says so. */
const isDirectory = async (path: string): Promise<boolean> =>
  path !== '-' &&
  (await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  ))

function refuseLayerOption(options: ChangeOptions): void {
  if (options.global || options.region !== undefined || options.edge !== undefined)
    throw usage('a directory has all layers: name a file to use --global, --region or --edge')
}

function refuseMissing(has: Layer, wanted: Layer, path: string): void {
  const [key] = missingSecrets(has, wanted)
  if (key !== undefined)
    throw usage(
      `${path}: ${key} is the placeholder for a secret that the fleet does not have: set it first with \`imapfleet config set\``,
    )
}

async function currentLayer(client: ApiClient, name: LayerName): Promise<{ layer: Layer; revision: number }> {
  const { revision, layers } = await client.call('readConfig')
  return { layer: layers[layerText(name)] ?? {}, revision }
}

async function readLayer(path: string, shell: Shell): Promise<Layer> {
  const parsed = parseLayer(await readText(path, shell.stdin), path)
  if (!parsed.ok) throw mistaken(parsed.mistakes, path)
  return parsed.layer
}

/** The text of a file; `-` is standard input. */
async function readText(file: string, stdin: NodeJS.ReadStream): Promise<string> {
  try {
    return file === '-' ? await text(stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw usage(`cannot read ${file}: ${(error as Error).message}`)
  }
}

/**
 * Parses an imapproxy.conf as a layer, with a report for each line, and the keys that belong to the host's own file.
 */
export function layerOfConfFile(
  content: string,
  file: string,
): { set: Record<string, JsonValue>; report: string[] } {
  if (detectFormat(content) !== 'imapproxy-conf')
    throw usage(`${file} is not an imapproxy.conf: for YAML use \`imapfleet config apply ${file}\``)
  const read = layerFromImapproxyConf(content)
  if (!read.ok) throw usage(read.problems.map((problem) => printProblem(problem, file)).join('; '))
  return {
    set: read.set,
    report: [
      ...read.report.map(printReportRow),
      ...read.kept.map(
        (key) => `${key} cannot be set by the fleet: set it in the configuration file of each edge`,
      ),
    ],
  }
}
