/**
 * An exported name has one meaning over the whole repository: a second definition of it is refused, so that a reader who
 * searches for a name finds one thing.
 */
import { globSync, readFileSync } from 'node:fs'
import type { Complaint } from '../page.ts'

const sources = ['{apps,packages}/*/src/**/*.{ts,tsx}', 'apps/*/*.ts', '{tests,scripts}/**/*.{ts,mjs}']
const list = 'scripts/code/repeated-names.ts'

/** Names that may be defined more than once, with the reason. */
const allowed: Readonly<Record<string, string>> = {
  ErrorCode: 'each process has its own closed list, compared with docs/failure-modes.md',
  errorCodes: 'each process has its own closed list, compared with docs/failure-modes.md',
  version: 'each program states its own version',
}

const keyword = '(?:async function|function|class|abstract class|interface|type|enum|const|let)'
const definition = new RegExp(`^export (?:declare )?${keyword}\\*? (?:(\\w+)|\\{([^}]*)\\} =)`, 'gm')

export function repeatedNames(): Complaint[] {
  const places = new Map<string, { file: string; line: number }[]>()
  for (const file of globSync(sources)) {
    const text = readFileSync(file, 'utf8')
    const names = new Map(
      [...text.matchAll(definition)].flatMap(({ index, 1: name, 2: pattern }) =>
        (name === undefined ? namesIn(pattern ?? '') : [name]).map((each) => [each, index]),
      ),
    )
    for (const [name, index] of names) {
      const line = text.slice(0, index).split('\n').length
      places.set(name, [...(places.get(name) ?? []), { file, line }])
    }
  }
  const repeated = [...places].filter(([name, found]) => found.length > 1 && !Object.hasOwn(allowed, name))
  const needless = Object.keys(allowed).filter((name) => (places.get(name)?.length ?? 0) < 2)
  return [
    ...repeated.flatMap(([name, found]) =>
      found.slice(1).map((place) => ({
        ...place,
        message: `${name} is also defined in ${found[0]?.file}; rename one after its meaning, or share one definition`,
      })),
    ),
    ...needless.map((name) => ({
      file: list,
      line: 1,
      message: `${name} is not defined twice; remove it from the list`,
    })),
  ]
}

/** Names that `{ a, b: c }` defines: a and c. */
function namesIn(pattern: string): string[] {
  return pattern.split(',').flatMap((part) => /(\w+)\s*(?:=.*)?$/.exec(part.trim())?.[1] ?? [])
}
