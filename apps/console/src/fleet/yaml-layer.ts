/** A layer as YAML, and the changes that an edited text makes. Control reads the text. */
import { leavesOf, parseSetting, textOf, type DraftChange } from './draft.ts'

type Layer = Readonly<Record<string, unknown>>
type Section = Map<string, Section | { value: unknown }>

/** The layer with the changes of its draft; empty if nothing is set. */
export function yamlOf(layer: Layer, changes: readonly DraftChange[] = []): string {
  const values = new Map(leavesOf(layer).map(({ key, value }) => [key, value]))
  for (const { key, text } of changes)
    if (text === undefined) values.delete(key.trim())
    else if (key.trim() !== '') values.set(key.trim(), parseSetting(text))
  const root: Section = new Map()
  for (const [key, value] of [...values].sort(([one], [other]) => (one < other ? -1 : 1))) {
    const parts = key.split('.')
    const last = parts.pop() ?? ''
    let at = root
    for (const part of parts) {
      const inner = at.get(part)
      const section: Section = inner instanceof Map ? inner : new Map()
      at.set(part, section)
      at = section
    }
    at.set(last, { value })
  }
  return printed(root, '')
}

const printed = (section: Section, indent: string): string =>
  [...section]
    .map(([name, inner]) =>
      inner instanceof Map
        ? `${indent}${scalar(name)}:\n${printed(inner, `${indent}  `)}`
        : `${indent}${scalar(name)}: ${flow(inner.value)}\n`,
    )
    .join('')

/** On one line. */
function flow(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(flow).join(', ')}]`
  return typeof value === 'string' ? scalar(value) : JSON.stringify(value)
}

/** Plain only if no version of YAML reads it as anything else; JSON is YAML too. */
const scalar = (text: string): string => {
  const isPlain = /^[A-Za-z][\w./@+-]*$/.test(text)
  const isWord = /^(?:true|false|null|yes|no|on|y|n)$/i.test(text)
  return isPlain && !isWord ? text : JSON.stringify(text)
}

/** What differs from the layer. Secrets, which control does not show, stay as they are unless they are replaced. */
export function changesFrom(set: Layer, layer: Layer): DraftChange[] {
  const before = new Map(leavesOf(layer).map(({ key, value }) => [key, JSON.stringify(value)]))
  const changed = Object.entries(set).filter(([key, value]) => before.get(key) !== JSON.stringify(value))
  const gone = [...before.keys()].filter((key) => !Object.hasOwn(set, key))
  return [
    ...changed.map(([key, value]) => ({ key, text: textOf(value) })),
    ...gone.map((key) => ({ key, text: undefined })),
  ]
}

/** The text with a further key, in its section if that is there. The rest, comments included, stays. */
export function withKey(text: string, key: string, value: string): string {
  const lines = text.split('\n')
  if (lines.at(-1) === '') lines.pop()
  const sections = key.split('.')
  const last = sections.pop() ?? ''
  let [from, end, indent] = [0, lines.length, '']
  while (sections.length > 0) {
    const wanted = `${indent}${sections[0]}:`
    const head = lines.findIndex((line, at) => at >= from && at < end && line.trimEnd() === wanted)
    if (head < 0) break
    sections.shift()
    from = head + 1
    const next = lines.findIndex(
      (line, at) => at >= from && isContent(line) && indentOf(line) <= indent.length,
    )
    end = next < 0 ? end : Math.min(end, next)
    const inner = lines.slice(from, end).find(isContent)
    indent = inner === undefined ? `${indent}  ` : inner.slice(0, indentOf(inner))
  }
  while (end > from && (lines[end - 1] ?? '').trim() === '') end--
  const added = [...sections, last].map((name, depth) => `${indent}${'  '.repeat(depth)}${scalar(name)}:`)
  added.push(`${added.pop() ?? ''} ${flow(parseSetting(value))}`)
  return `${[...lines.slice(0, end), ...added, ...lines.slice(end)].join('\n')}\n`
}

const isContent = (line: string): boolean => line.trim() !== '' && !line.trim().startsWith('#')
const indentOf = (line: string): number => line.length - line.trimStart().length
