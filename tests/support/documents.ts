/** The commands in the documents, so that tests run them as printed. tests/support/document-runs.ts lists where. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repository } from '@imapfleet/local'

export interface Fence {
  /** From 1, of the line that opens it. */
  line: number
  /** Behind the three backticks; empty if there is none. */
  language: string
  lines: string[]
}

/** `sh`: a script. `console`: commands behind `$ `, with what they print. */
export const commandLanguages: readonly string[] = ['sh', 'console']

/** The fenced blocks of a page, without the indentation that they have in a list. */
export function fencesIn(text: string): Fence[] {
  const fences: Fence[] = []
  let open: (Fence & { indent: number }) | undefined
  for (const [index, line] of text.split('\n').entries()) {
    const [, indent = '', language] = /^( *)```(\w*)/.exec(line) ?? []
    if (language === undefined) open?.lines.push(line.slice(open.indent))
    else if (open) {
      fences.push({ line: open.line, language: open.language, lines: open.lines })
      open = undefined
    } else open = { line: index + 1, language, lines: [], indent: indent.length }
  }
  return fences
}

/** What the reader types: a script, or the commands of a dialogue. */
function commandsIn({ language, lines }: Fence): string[] {
  if (language === 'sh') return [`${lines.join('\n')}\n`]
  return lines.flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []))
}

/** The key of a block: its first command without the comment after it. */
export function titleOf(fence: Fence): string {
  const [first = ''] = commandsIn(fence)
  return (first.split('\n', 1)[0] ?? '').replace(/\s+#\s.*$/, '').trim()
}

/**
 * The commands of one block of a page, one script for `sh`, one string for each command of a dialogue.
 * @param title its first command, without the comment behind it
 */
export function printed(file: string, title: string): string[] {
  const fences = fencesIn(readFileSync(join(repository, file), 'utf8'))
  const [found] = fences.filter(
    (fence) => commandLanguages.includes(fence.language) && titleOf(fence) === title,
  )
  if (!found) throw new Error(`${file} has no commands that begin with ${title}`)
  return commandsIn(found)
}

/** The script of one block of a page. */
export const script = (file: string, title: string): string => printed(file, title).join('\n')
