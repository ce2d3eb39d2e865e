/**
 * The configuration files that packages install: every setting with its default, commented out. `##` begins an
 * explanation, `#` a setting. Without the `#` in front of its settings, such a file says what holds without it.
 */
import { describeKeys, resolveFile, type KeyManual } from '@imapfleet/config'
import type { HelpSection } from './help.ts'

const widthMax = 100

/** /etc/imapfleet/edge.yaml, from the schema of the configuration. */
export function edgeConffile(): string {
  const defaults = resolveFile('')
  if (!defaults.ok) throw new Error('an empty configuration has mistakes')
  const lines = [
    ...explained(
      'Configuration of imapfleet-edge. Everything is commented out; imapfleet-edge.yaml(5) describes the format.',
    ),
    '## To use a setting, remove the # in front of it and of the lines that it is below.',
    '## To check the file: imapfleet-edge --config /etc/imapfleet/edge.yaml --check --user imapfleet-edge',
    '## To apply it: systemctl reload imapfleet-edge; settings marked (restart) need a restart.',
  ]
  let open: string[] = []
  for (const row of describeKeys()) {
    const path = pathOf(row.key, defaults.config)
    const shared = open.findIndex((part, index) => part !== path[index])
    const depth = shared < 0 ? Math.min(open.length, path.length - 1) : shared
    if (depth === 0) lines.push('')
    for (let level = depth; level < path.length - 1; level += 1)
      lines.push(`#${indent(level)}${path[level]}:${row.key.includes('[]') ? ' []' : ''}`)
    lines.push(...settingLines(row, path, defaults.config))
    open = path.slice(0, -1)
  }
  return `${lines.join('\n')}\n`
}

function settingLines(row: KeyManual, path: string[], config: object): string[] {
  const [name = ''] = path.slice(-1)
  const level = path.length - 1
  const restart = row.reload === 'restart' ? ' (restart)' : ''
  const value = valueAt(config, path)
  // The default of a list of sections, such as routes[], is empty.
  const isPreset = value !== undefined && !row.key.includes('[]')
  const setting = isPreset
    ? `#${indent(level)}${name}: ${yamlOf(value)}`
    : `#${indent(level)}#${name}: ${row.values}`
  return [...explained(`${row.help}${restart}`, level), setting]
}

/** The names of the default listener and upstream stand for NAME. */
function pathOf(key: string, config: object): string[] {
  const path: string[] = []
  for (const part of key.replaceAll('[]', '').split('.'))
    path.push(part === 'NAME' ? (Object.keys(valueAt(config, path) as object)[0] ?? part) : part)
  return path
}

function valueAt(config: object, path: readonly string[]): unknown {
  let at: unknown = config
  for (const part of path) at = (at as Record<string, unknown> | undefined)?.[part]
  return at
}

/** JSON is YAML. Plain words need no quotes. */
const yamlOf = (value: unknown) =>
  typeof value === 'string' && /^[A-Za-z][\w.-]*$|^\/[\w./-]+$/.test(value) ? value : JSON.stringify(value)

const indent = (level: number) => '  '.repeat(level)

function explained(text: string, level = 0): string[] {
  return linesOf(text, widthMax - 3 - 2 * level).map((line) => `##${indent(level)} ${line}`)
}

/** /etc/imapfleet/control.env, from the variables that `imapfleet-control --help` lists. */
export function controlConffile(environment: HelpSection): string {
  const lines = [
    '## Settings of imapfleet-control: one NAME=value for each line. imapfleet-control(8) describes them.',
    '## The service and the command imapfleet-control read this file. A change needs: systemctl restart imapfleet-control',
  ]
  for (const { term, text } of environment.rows) {
    const [, help = text, preset = ''] = /^(.*) \(([^()]*)\)$/.exec(text) ?? []
    const value = /^[\w:/.,-]+$/.test(preset) && preset !== 'none' ? preset : ''
    lines.push('', ...explained(help), `#${term}=${value}`)
  }
  return `${lines.join('\n')}\n`
}

/** Lines of at most `width` characters. A longer word has a separate line. */
function linesOf(text: string, width: number): string[] {
  const lines: string[] = []
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}
