/** Pages of the documentation, and complaints of the checks. */
import { globSync, readFileSync } from 'node:fs'

export interface DocPage {
  /** From the root of the repository. */
  file: string
  text: string
  lines: string[]
}

/** A problem, and what to do about it. */
export interface Complaint {
  file: string
  /** From 1. */
  line: number
  message: string
}

export function readPages(): DocPage[] {
  return globSync(['*.md', 'docs/**/*.md']).sort().map(readPage)
}

export function readPage(file: string): DocPage {
  const text = readFileSync(file, 'utf8')
  return { file, text, lines: text.split('\n') }
}

/** Every match of a pattern with one group, with where it stands. */
export function finds(page: DocPage, pattern: RegExp): { found: string; file: string; line: number }[] {
  return page.lines.flatMap((text, index) =>
    [...text.matchAll(pattern)].map(([, found = '']) => ({ found, file: page.file, line: index + 1 })),
  )
}

/** Prints `file:line: message` for each complaint. The process then ends with status 1 if there is one. */
export function report(complaints: Complaint[]): void {
  for (const { file, line, message } of complaints) console.error(`${file}:${line}: ${message}`)
  if (complaints.length > 0) process.exitCode = 1
}
