/** Parses YAML text into plain data, and finds the line of a key. Never throws. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { JsonValue } from './layer.ts'
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
      ...yaml.errors.map((error) => problem(firstLine(error.message), error.pos[0])),
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
