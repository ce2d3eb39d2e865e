/**
 * `imapfleet config apply`, `diff` and `import`: a whole layer from a file. Parses the file, and computes the change that
 * makes the layer of the fleet equal to it.
 */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import { layerText, type LayerName } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'
import {
  checkLayer,
  detectFormat,
  flattenLayer,
  layerFromImapproxyConf,
  printProblem,
  printReportRow,
  readYaml,
  redacted,
  type JsonValue,
  type Layer,
} from '@imapfleet/config'
import type { Command } from 'commander'
import { usage } from '../failure.ts'
import { safe } from '../print/safe.ts'
import type { Shell } from '../shell.ts'
import { change, changeOptions, layerOf, layerOptions, type ChangeOptions } from './config-change.ts'

const layerFile = ['<file>', 'YAML with the keys of the layer; - reads standard input'] as const

export function addConfigApply(config: Command, shell: Shell): void {
  const replace = async (path: string, options: ChangeOptions, command: Command) => {
    const wanted = parseLayer(await readText(path, shell.stdin), path)
    const client = await shell.client(command)
    const { layer, revision } = await currentLayer(client, layerOf(options))
    // Based on this revision: the server refuses if another one was written in between.
    await change(changeBetween(layer, wanted), { base: revision, ...options }, command, shell)
  }

  changeOptions(config.command('apply').argument(...layerFile))
    .description('make a layer equal to a file: keys that are not in the file are unset')
    .action(replace)

  layerOptions(config.command('diff').argument(...layerFile))
    .description('show what `config apply` would change')
    .action(async (path: string, options: ChangeOptions, command: Command) => {
      await replace(path, { ...options, dryRun: true }, command)
    })

  changeOptions(config.command('import').argument('<file>', 'an imapproxy.conf; - reads standard input'))
    .description('set the keys of an imapproxy.conf in a layer, and report how each line was understood')
    .action(async (path: string, options: ChangeOptions, command: Command) => {
      const { set, report } = layerOfConfFile(await readText(path, shell.stdin), path)
      for (const line of report) shell.note(safe(line))
      await change({ set, unset: [] }, options, command, shell)
    })
}

async function currentLayer(client: ApiClient, name: LayerName): Promise<{ layer: Layer; revision: number }> {
  const { revision, layers } = await client.call('readConfig')
  return { layer: layers[layerText(name)] ?? {}, revision }
}

/** The content of a revision request. */
interface LayerChange {
  set: Record<string, JsonValue>
  unset: string[]
}

/** The text of a file; `-` is standard input. */
async function readText(file: string, stdin: NodeJS.ReadStream): Promise<string> {
  try {
    return file === '-' ? await text(stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw usage(`cannot read ${file}: ${(error as Error).message}`)
  }
}

/** Parses a layer in YAML, as `config get --output json` prints one. Reports every mistake with its line. */
export function parseLayer(content: string, file: string): Layer {
  if (detectFormat(content) === 'imapproxy-conf')
    throw usage(`${file} is an imapproxy.conf: use \`imapfleet config import ${file}\``)
  const yaml = readYaml(content)
  if (!yaml.ok) throw usage(yaml.problems.map((problem) => printProblem(problem, file)).join('; '))
  const checked = checkLayer(yaml.data ?? {})
  if (checked.ok) return checked.layer
  const problems = checked.problems.map((problem) => {
    const line = yaml.lineOf(problem.key.split('.'))
    return printProblem(line === undefined ? problem : { ...problem, line }, file)
  })
  throw usage(problems.join('; '))
}

/** The change that makes `current` equal to `wanted`. A secret shown as redacted stays unchanged. */
export function changeBetween(current: Layer, wanted: Layer): LayerChange {
  const [has, wants] = [new Map(flattenLayer(current)), new Map(flattenLayer(wanted))]
  const changed = [...wants].filter(
    ([key, value]) => value !== redacted && JSON.stringify(has.get(key)) !== JSON.stringify(value),
  )
  return { set: Object.fromEntries(changed), unset: [...has.keys()].filter((key) => !wants.has(key)) }
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
