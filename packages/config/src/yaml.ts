/** YAML text to plain data, and the way back from a key to its line. Whatever the text holds, it does not throw. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, visit, type Document } from 'yaml'
import type { JsonValue } from './layer.ts'
import type { Problem } from './problem.ts'

export type Yaml =
  | {
      ok: true
      data: unknown
      /** Line of the key at this path, or of the nearest one above it. */ lineOf(
        path: readonly string[],
      ): number | undefined
    }
  | { ok: false; problems: Problem[] }

export function readYaml(text: string): Yaml {
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
    // The parser recurses: a document nested deeply enough exhausts its stack.
    return { ok: false, problems: [{ key: '', message: `cannot be read: ${firstLine(String(error))}` }] }
  }
}

/** A value as typed on a command line: YAML's rules, so that 60000 is a number, yes is text, [a, b] a list. */
export function parseValue(text: string): JsonValue {
  const yaml = readYaml(text)
  // What YAML would take for a comment, an alias, an anchor or a tag is text here: '#1', '*@example.org', '&x', '!'.
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
