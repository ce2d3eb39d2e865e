/** Files with a layer of configuration: parses them, and computes the change that makes the fleet's layer equal. */
import { readFile } from 'node:fs/promises'
import { text } from 'node:stream/consumers'
import {
  checkLayer,
  detectFormat,
  layerFromImapproxyConf,
  flattenLayer,
  printProblem,
  printReportRow,
  readYaml,
  redacted,
  type JsonValue,
  type Layer,
} from '@imapfleet/config'
import { usage } from './failure.ts'

/** The content of a revision request. */
export interface LayerChange {
  set: Record<string, JsonValue>
  unset: string[]
}

/** The text of a file; `-` is standard input. */
export async function readText(file: string, stdin: NodeJS.ReadStream): Promise<string> {
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
