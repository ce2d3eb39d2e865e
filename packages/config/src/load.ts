/** A configuration file to an EdgeConfig, or all of its problems at once, with line numbers. */
import { isNode, LineCounter, parseDocument, type Document } from 'yaml'
import type { JsonValue, Layer } from './layer.ts'
import { problemsOf, type Problem } from './problem.ts'
import { edgeConfigSchema, type EdgeConfig } from './schema.ts'

export type Loaded = { ok: true; config: EdgeConfig; document: Layer } | { ok: false; problems: Problem[] }

/** Parses the text of a YAML (or JSON) configuration file. `document` is what the file itself says, without defaults. */
export function loadConfig(text: string): Loaded {
  const lines = new LineCounter()
  const yaml = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  if (yaml.errors.length > 0) {
    const problems = yaml.errors.map((error) => ({
      key: '',
      message: error.message.split('\n')[0] ?? 'is not YAML',
      line: lines.linePos(error.pos[0]).line,
    }))
    return { ok: false, problems }
  }
  const document: unknown = yaml.toJS({ maxAliasCount: 0 }) ?? {}
  const resolved = resolveConfig(document)
  if (resolved.ok) return { ok: true, config: resolved.config, document: document as Layer }
  return { ok: false, problems: resolved.problems.map((problem) => withLine(problem, yaml, lines)) }
}

/** Defaults and checks for a document that is already data, such as file and fleet layers laid over one another. */
export function resolveConfig(
  document: unknown,
): { ok: true; config: EdgeConfig } | { ok: false; problems: Problem[] } {
  const parsed = edgeConfigSchema.safeParse(document)
  if (parsed.success) return { ok: true, config: parsed.data }
  return { ok: false, problems: problemsOf(parsed.error, document) }
}

/** A value as typed on a command line: YAML's rules, so that 60000 is a number, yes is text, [a, b] a list. */
export function parseValue(text: string): JsonValue {
  const yaml = parseDocument(text, { prettyErrors: false })
  return yaml.errors.length > 0 ? text : (yaml.toJS({ maxAliasCount: 0 }) as JsonValue)
}

function withLine(problem: Problem, yaml: Document, lines: LineCounter): Problem {
  for (let path = problem.key.split('.'); path.length > 0; path = path.slice(0, -1)) {
    const keys = path.map((part) => (/^\d+$/.test(part) ? Number(part) : part))
    const node = yaml.getIn(keys, true)
    if (isNode(node) && node.range) return { ...problem, line: lines.linePos(node.range[0]).line }
  }
  return problem
}
