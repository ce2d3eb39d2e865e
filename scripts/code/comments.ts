/** Comments in the code cite what exists: files, folders, decision records, parameters. */
import { globSync, readFileSync } from 'node:fs'
import { citesMissing } from '../docs/citations.ts'
import type { Complaint } from '../page.ts'
import { comment } from '../repository-files.ts'

const sources = [
  '{apps,packages}/*/src/**/*.{ts,tsx}',
  'apps/*/*.ts',
  '*.ts',
  '{tests,scripts}/**/*.{ts,mjs}',
]
export function staleComments(): Complaint[] {
  return globSync(sources).flatMap((file) => {
    const text = readFileSync(file, 'utf8')
    return [...text.matchAll(comment)].flatMap(({ index, 0: match, 1: body = '' }) => {
      const from = index + match.length - body.length
      return [
        ...body
          .split('\n')
          .flatMap((line, offset) =>
            citesMissing(line).map((message) => ({ file, line: lineAt(text, from) + offset, message })),
          ),
        ...missingParameters(body, text.slice(from + body.length)).map((message) => ({
          file,
          line: lineAt(text, from),
          message,
        })),
      ]
    })
  })
}

/** A `@param` line names a parameter of the function behind the comment. */
function missingParameters(body: string, behind: string): string[] {
  const head = /^[\s\S]*?(?:\{\n|\n\n|$)/.exec(behind)?.[0] ?? ''
  return [...body.matchAll(/@param (\w+)/g)]
    .filter(([, name]) => !new RegExp(`[(,{\\s.]${name}\\s*[?:,)=}]`).test(head))
    .map(([, name]) => `@param ${name} names no parameter; rename it, or remove the line`)
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length
}
