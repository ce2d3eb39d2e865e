/** Reads what a program prints with --help. The manual pages and the file of control's settings are made of it. */
import { execFileSync } from 'node:child_process'

/** A row of two columns: an option, a command, an argument or a variable, and what it means. */
export interface HelpRow {
  term: string
  text: string
}

export interface HelpSection {
  title: string
  rows: HelpRow[]
  /** Lines that are no rows, as printed. */
  lines: string[]
}

export interface Help {
  /** Without `Usage: `. */
  usage: string
  /** One line for each paragraph. */
  description: string[]
  sections: HelpSection[]
}

/** @param command the program and its arguments, such as Node and a bundle */
export function helpOf(command: readonly string[], words: readonly string[] = []): Help {
  const [program = '', ...args] = command
  return parseHelp(execFileSync(program, [...args, ...words, '--help'], { encoding: 'utf8' }))
}

export function parseHelp(text: string): Help {
  const lines = text.trimEnd().split('\n')
  const help: Help = { usage: '', description: [], sections: [] }
  let section: HelpSection | undefined
  let paragraph = ''
  const open = (title: string) => help.sections.push((section = { title, rows: [], lines: [] }))
  for (const line of lines) {
    const heading = /^([A-Z][A-Za-z ]*):(?: (.*))?$/.exec(line)
    const row = /^ {2}(\S.*?)(?: {2,}(\S.*))?$/.exec(line)
    if (heading?.[1] === 'Usage') help.usage = heading[2] ?? ''
    else if (heading) {
      open(heading[1] ?? '')
      if (heading[2] !== undefined) section?.lines.push(heading[2])
    } else if (row && section?.title !== 'Examples') {
      // The options of a program without further sections have no heading.
      if (!section) open('Options')
      section?.rows.push({ term: row[1] ?? '', text: row[2] ?? '' })
    } else if (section) {
      const last = section.rows.at(-1)
      if (last && /^ {4,}\S/.test(line)) last.text = `${last.text} ${line.trim()}`.trim()
      else if (line.trim() !== '') section.lines.push(line)
    } else if (line.trim() === '') paragraph = ''
    else if (paragraph === '') help.description.push((paragraph = line.trim()))
    else help.description[help.description.length - 1] += ` ${line.trim()}`
  }
  return help
}

/** The names of the commands below this one. */
export function commandsIn(help: Help): string[] {
  return help.sections
    .filter(({ title }) => title === 'Commands')
    .flatMap(({ rows }) => rows.map(({ term }) => term.split(/[ |]/, 1)[0] ?? ''))
    .filter((name) => name !== '' && name !== 'help')
}
