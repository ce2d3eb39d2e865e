/** Every block of commands in a document is run by a test as printed, or the list says why not. */
import { existsSync, readFileSync } from 'node:fs'
import { documentRuns } from '../../tests/support/document-runs.ts'
import { commandLanguages, fencesIn, titleOf, type Fence } from '../../tests/support/documents.ts'
import type { Complaint, DocPage } from '../page.ts'

const list = 'tests/support/document-runs.ts'
type Runs = typeof documentRuns

/** @param sourceOf the text of a test; undefined: there is no such file */
export function commandsNotRun(
  pages: readonly Pick<DocPage, 'file' | 'text'>[],
  runs: Runs = documentRuns,
  sourceOf: (file: string) => string | undefined = readIfThere,
): Complaint[] {
  return [
    ...pages.flatMap((page) => complaintsAbout(page, runs[page.file] ?? {}, sourceOf)),
    ...Object.keys(runs)
      .filter((file) => !pages.some((page) => page.file === file))
      .map((file) => ({ file: list, line: 1, message: `${file} does not exist; remove it` })),
  ]
}

function complaintsAbout(
  { file, text }: Pick<DocPage, 'file' | 'text'>,
  runs: Runs[string],
  sourceOf: (file: string) => string | undefined,
): Complaint[] {
  const fences = fencesIn(text)
  const blocks = fences.filter(({ language }) => commandLanguages.includes(language))
  const titles = blocks.map(titleOf)
  return [
    ...fences
      .filter((fence) => !blocks.includes(fence))
      .flatMap((fence) => disguised(fence).map((message) => ({ file, line: fence.line, message }))),
    ...blocks.flatMap((block, index) => {
      const title = titleOf(block)
      const message =
        title === ''
          ? 'a block of commands without a command; a dialogue has `$ ` before each'
          : titles.indexOf(title) < index
            ? `two blocks begin with ${title}; begin one of them with another command`
            : problemOf(file, title, runs[title], sourceOf)
      return message === undefined ? [] : [{ file, line: block.line, message }]
    }),
    ...Object.keys(runs)
      .filter((title) => !titles.includes(title))
      .map((title) => ({ file: list, line: 1, message: `${file} has no block "${title}"; remove it` })),
  ]
}

/** Commands in a block that is not marked as one would escape. */
function disguised({ language, lines }: Fence): string[] {
  if (language === '') return ['a block without a language: sh or console if it has commands, text if not']
  return lines.some((line) => line.startsWith('$ '))
    ? [`commands in a block of ${language}: use console`]
    : []
}

function problemOf(
  file: string,
  title: string,
  run: Runs[string][string] | undefined,
  sourceOf: (file: string) => string | undefined,
): string | undefined {
  if (!run)
    return `no test runs "${title}"; run it as printed, and name the test in ${list}, or the reason why not`
  if (!('in' in run)) return undefined
  const source = sourceOf(run.in)
  if (source === undefined) return `${run.in} does not exist; it should run "${title}"`
  return source.includes(file) && source.includes(title.replaceAll('\\', '\\\\'))
    ? undefined
    : `${run.in} does not run "${title}" of this page`
}

const readIfThere = (file: string) => (existsSync(file) ? readFileSync(file, 'utf8') : undefined)
