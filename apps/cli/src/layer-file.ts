/** Files with a layer of configuration: what is in them, and what it takes to bring the fleet's layer there. */
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

/** What a revision request holds. */
export interface LayerChange {
  set: Record<string, JsonValue>
  unset: string[]
}

/** The text of a file; `-` is what is piped in. */
export async function readText(file: string, stdin: NodeJS.ReadStream): Promise<string> {
  try {
    return file === '-' ? await text(stdin) : await readFile(file, 'utf8')
  } catch (error) {
    throw usage(`cannot read ${file}: ${(error as Error).message}`)
  }
}

/** A layer written in YAML, as `config get --output json` shows one. Every mistake is named, with its line. */
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

/** What makes `current` equal to `wanted`. A secret that was shown as redacted stays what it is. */
export function changeBetween(current: Layer, wanted: Layer): LayerChange {
  const [has, wants] = [new Map(flattenLayer(current)), new Map(flattenLayer(wanted))]
  const changed = [...wants].filter(
    ([key, value]) => value !== redacted && JSON.stringify(has.get(key)) !== JSON.stringify(value),
  )
  return { set: Object.fromEntries(changed), unset: [...has.keys()].filter((key) => !wants.has(key)) }
}

/** An imapproxy.conf as a layer, with an account of its lines, and of what belongs to the host's own file instead. */
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
