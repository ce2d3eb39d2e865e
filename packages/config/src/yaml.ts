/** Parses YAML text into plain data, finds the line of a key, and prints layers. Parsing never throws. */
import { Document, isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit } from 'yaml'
import type { JsonValue, Layer } from './layer.ts'
import type { Problem } from './problem.ts'

export type ParsedYaml =
  | {
      ok: true
      data: unknown
      /** Line of this key, or of the nearest section above it that is in the text. */
      lineOf(path: readonly string[]): number | undefined
    }
  | { ok: false; problems: Problem[] }

export function readYaml(text: string): ParsedYaml {
  const lines = new LineCounter()
  const problem = (message: string, offset: number): Problem => ({
    key: '',
    message,
    line: lines.linePos(offset).line,
  })
  try {
    const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' })
    const problems = [
      ...yaml.errors.map((error) =>
        problem(
          error.code === 'MULTIPLE_DOCS'
            ? 'a second document begins here; write one, without lines of ---'
            : firstLine(error.message),
          error.pos[0],
        ),
      ),
      ...aliasesOf(yaml).map((offset) =>
        problem('aliases (*name) are not supported; write the value itself', offset),
      ),
    ]
    if (problems.length > 0) return { ok: false, problems }
    const lineOf = (path: readonly string[]) => {
      const offset = offsetOf(yaml, path)
      return offset === undefined ? undefined : lines.linePos(offset).line
    }
    return { ok: true, data: yaml.toJS(), lineOf }
  } catch (error) {
    // The parser is recursive: a deeply nested document exhausts the stack.
    return { ok: false, problems: [{ key: '', message: `cannot be read: ${firstLine(String(error))}` }] }
  }
}

/** A value typed on a command line, by the rules of YAML: 60000 is a number, yes is text, [a, b] is a list. */
export function parseValue(text: string): JsonValue {
  const yaml = readYaml(text)
  // Comments, aliases, anchors and tags of YAML are text here: '#1', '*@example.org', '&x', '!'.
  if (!yaml.ok || /(^|\s)#|^\s*[&!]/.test(text)) return text
  return yaml.data as JsonValue
}

/** A layer as YAML. Keys are sorted and lines are not folded, so equal layers give the same text. */
export const printYaml = (layer: Layer): string => printAnyYaml(layer, { sortMapEntries: true })

/** Any JSON value as YAML, without control characters that a terminal would obey. */
export function printAnyYaml(value: unknown, options: { sortMapEntries?: boolean } = {}): string {
  const document = new Document(value, { ...options, aliasDuplicateObjects: false })
  visit(document, {
    Scalar: (_, node) => {
      // Only a quoted text can have escapes.
      if (typeof node.value === 'string' && unprintable.test(node.value)) node.type = 'QUOTE_DOUBLE'
    },
  })
  const text = document.toString({ lineWidth: 0 })
  return text.replace(unprintables, (character) => (character === '\n' ? character : escapeOf(character)))
}

/** Control characters and marks that change the direction or the width of a text. */
const unprintables = /[\p{Cc}\p{Cf}\u2028\u2029]/gu
const unprintable = new RegExp(unprintables, 'u')
const escapeOf = (character: string): string => {
  const point = character.codePointAt(0) ?? 0
  return point > 0xffff
    ? `\\U${point.toString(16).padStart(8, '0')}`
    : `\\u${point.toString(16).padStart(4, '0')}`
}

const firstLine = (message: string) => message.split('\n')[0] ?? ''

function aliasesOf(yaml: Document): number[] {
  const offsets: number[] = []
  visit(yaml, { Alias: (_, node) => void offsets.push(isAlias(node) ? (node.range?.[0] ?? 0) : 0) })
  return offsets
}

function offsetOf(yaml: Document, path: readonly string[]): number | undefined {
  let node: unknown = yaml.contents
  let offset: number | undefined
  for (const part of path) {
    if (isMap(node)) {
      const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === part)
      if (!isScalar(pair?.key)) break
      offset = pair.key.range?.[0] ?? offset
      node = pair.value
    } else if (isSeq(node)) {
      node = node.items[Number(part)]
      if (!isMap(node) && !isScalar(node)) break
      offset = node.range?.[0] ?? offset
    } else break
  }
  return offset
}
