/** A configuration file to an EdgeConfig, or all of its problems at once, with line numbers. */
import { contradictionsOf } from './contradictions.ts'
import type { Layer } from './layer.ts'
import { atPath, byKey, problemsOf, type PathProblem, type Problem } from './problem.ts'
import { readable } from './schema-walk.ts'
import { edgeConfigSchema, sectionsSchema, type EdgeConfig } from './schema.ts'
import { readYaml } from './yaml.ts'

export type Loaded = { ok: true; config: EdgeConfig; document: Layer } | { ok: false; problems: Problem[] }

/** Parses the text of a YAML (or JSON) configuration file. `document` is what the file itself says, without defaults. */
export function loadConfig(text: string): Loaded {
  const yaml = readYaml(text)
  if (!yaml.ok) return { ok: false, problems: yaml.problems }
  const document = yaml.data ?? {}
  const parsed = edgeConfigSchema.safeParse(document)
  if (parsed.success) return { ok: true, config: parsed.data, document: document as Layer }
  const problems = everyProblem(document).map((problem) => byKey(problem, yaml.lineOf(problem.path)))
  return { ok: false, problems: problems.sort((a, b) => (a.line ?? 0) - (b.line ?? 0)) }
}

/** Defaults and checks for a document that is already data, such as file and fleet layers laid over one another. */
export function resolveConfig(
  document: unknown,
): { ok: true; config: EdgeConfig } | { ok: false; problems: Problem[] } {
  const parsed = edgeConfigSchema.safeParse(document)
  if (parsed.success) return { ok: true, config: parsed.data }
  return { ok: false, problems: everyProblem(document).map((problem) => byKey(problem)) }
}

/** zod looks for contradictions only when every single field is right; here both are wanted at once. */
function everyProblem(document: unknown): PathProblem[] {
  const fields = sectionsSchema.safeParse(document)
  return [
    ...(fields.success ? [] : problemsOf(fields.error, sectionsSchema, document)),
    ...contradictionsOf(readable(sectionsSchema, document)).map(({ path, message }) => atPath(path, message)),
  ]
}
