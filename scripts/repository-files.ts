/** The files of the repository as git sees them, new ones included: what may be cited, and what is checked. */
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'

let known: string[] | undefined

/** Paths from the root. Deleted files are left out, also if the index still has them. */
export function repositoryFiles(): string[] {
  known ??= execFileSync('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], {
    encoding: 'utf8',
  })
    .split('\0')
    .filter((file) => file !== '' && existsSync(file))
  return known
}

let ends: Set<string> | undefined

/** Whether a path names a file or a folder, whole or by its last parts: `pool/pool.ts`, `pool.ts`, `apps/cli`. */
export function isInRepository(path: string): boolean {
  ends ??= new Set(repositoryFiles().flatMap(endsOf))
  return path.includes('*') ? matches(path) : ends.has(path.replace(/\/$/, ''))
}

/** The path itself without its first folder, without its first two, and so on; the same for each folder above it. */
function endsOf(file: string): string[] {
  const parts = file.split('/')
  return parts.flatMap((_, last) =>
    parts.slice(0, last + 1).map((__, first) => parts.slice(first, last + 1).join('/')),
  )
}

function matches(pattern: string): boolean {
  const source = pattern
    .split(/\*+/)
    .map((part) => part.replace(/[.+^${}()|[\]\\]/g, '\\$&'))
    .join('.*')
  const expression = new RegExp(`(?:^|/)${source}(?:$|/)`)
  return repositoryFiles().some((file) => expression.test(file))
}

/** A string that holds `//`, such as a URL, is no comment: a comment starts a line or follows a space. */
export const comment = /(?:^|\s)(\/\*[\s\S]*?\*\/|\/\/.*$)/gm

let words: string | undefined

/** Whether a name, or a name that ends in it, is in the code outside comments. */
export function isInCode(name: string): boolean {
  words ??= `${[...new Set(repositoryFiles().flatMap(wordsOf))].join('\n')}\n`
  return words.includes(`${name}\n`)
}

function wordsOf(file: string): string[] {
  if (!/\.(?:tsx?|mjs|json|ya?ml|conf|service|c|h|css|sql)$/.test(file) || file === 'package-lock.json')
    return []
  return readFileSync(file, 'utf8').replaceAll(comment, '').match(/\w+/g) ?? []
}
