/** Turns a document or YAML text into a complete configuration with its defaults, or reports every mistake in it. */
import type { z } from 'zod'
import { contradictionsOf } from './contradictions.ts'
import type { Layer } from './layer.ts'
import { problemsOf, toProblem, type PathProblem, type Problem } from './problem.ts'
import { childOf, isSection, shapeOf, droppedKeys } from './schema-walk.ts'
import { edgeConfigSchema, sectionsSchema, type EdgeConfig } from './schema.ts'
import { readYaml } from './yaml.ts'

/** @param document data, such as the layers of the fleet merged over the file of the host */
export function resolveConfig(
  document: unknown,
): { ok: true; config: EdgeConfig } | { ok: false; problems: Problem[] } {
  const parsed = edgeConfigSchema.safeParse(document)
  if (parsed.success && droppedKeys(sectionsSchema, document).length === 0)
    return { ok: true, config: parsed.data }
  return { ok: false, problems: mistakesIn(document).map((problem) => toProblem(problem)) }
}

/** Reads YAML (or JSON) text; each problem has its line. `document` is what the text says, without defaults. */
export function resolveYaml(
  text: string,
): { ok: true; config: EdgeConfig; document: Layer } | { ok: false; problems: Problem[] } {
  const yaml = readYaml(text)
  if (!yaml.ok) return { ok: false, problems: yaml.problems }
  const document = yaml.data ?? {}
  const parsed = edgeConfigSchema.safeParse(document)
  if (parsed.success && droppedKeys(sectionsSchema, document).length === 0)
    return { ok: true, config: parsed.data, document: document as Layer }
  const problems = mistakesIn(document).map((problem) => toProblem(problem, yaml.lineOf(problem.path)))
  return { ok: false, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

/** zod reports contradictions only if every single value is right. This reports wrong values and contradictions together. */
function mistakesIn(document: unknown): PathProblem[] {
  const values = sectionsSchema.safeParse(document)
  return [
    ...(values.success ? [] : problemsOf(values.error, sectionsSchema, document)),
    ...droppedKeys(sectionsSchema, document),
    ...contradictionsOf(withDefaults(sectionsSchema, document)).map(({ path, message }) => ({
      path: path.map(String),
      message,
    })),
  ]
}

/** Fills in the defaults of every part that can be parsed; a part that cannot stays as it was written. */
function withDefaults(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value)
  if (parsed.success) return parsed.data
  const fill = (key: string, entry: unknown) => {
    const child = childOf(schema, key)
    return child ? withDefaults(child, entry) : entry
  }
  if (Array.isArray(value)) return value.map((entry, index) => fill(String(index), entry))
  if (!isSection(value)) return value
  const keys = new Set([...Object.keys(shapeOf(schema)), ...Object.keys(value)])
  return Object.fromEntries([...keys].map((key) => [key, fill(key, value[key])]))
}
