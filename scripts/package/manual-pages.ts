/** Manual pages in man(7), from the help of the programs and from the schema of the configuration. */
import { describeKeys } from '@imapfleet/config'
import { commandsIn, helpOf, type Help } from './help.ts'

export interface ManualPage {
  name: string
  section: 1 | 5 | 8
  /** What apropos shows. */
  summary: string
  /** Seconds since 1970. */
  date: number
  version: string
}

/** A program with all of its commands. `more` are further sections in man(7). */
export function programPage(page: ManualPage, command: readonly string[], more = ''): string {
  const help = helpOf(command)
  return [
    headOf(page),
    '.SH SYNOPSIS',
    bold(help.usage),
    '.SH DESCRIPTION',
    ...paragraphs(help.description.length > 0 ? help.description : [`${page.summary}.`]),
    ...sectionsOf(help, '.SH', ['Commands']),
    ...commandLines(command, help, []),
    more,
    '',
  ].join('\n')
}

/** The commands below one, each with its help, in the order in which it lists them. */
function commandLines(command: readonly string[], help: Help, path: readonly string[]): string[] {
  const names = commandsIn(help)
  return [
    ...(path.length === 0 && names.length > 0 ? ['.SH COMMANDS'] : []),
    ...names.flatMap((name) => {
      const words = [...path, name]
      const below = helpOf(command, words)
      return [
        heading('.SS', below.usage.replace(/^\S+ /, '')),
        ...paragraphs(below.description),
        ...sectionsOf(below, '.PP', ['Commands', 'Global Options']),
        ...commandLines(command, below, words),
      ]
    }),
  ]
}

/** The file of an edge, imapfleet-edge.yaml(5). */
export function configurationPage(page: ManualPage): string {
  const sections = Map.groupBy(describeKeys(), ({ key }) => key.split(/[.[]/, 1)[0] ?? key)
  const keys = [...sections].flatMap(([name, rows]) => [
    heading('.SS', name),
    ...rows.flatMap((row) => [
      '.TP',
      bold(row.key),
      roff(
        [
          row.help,
          `Values: ${row.values}.`,
          row.preset === undefined ? '' : `Default: ${row.preset}.`,
          row.reload === 'restart' ? 'A change needs a restart.' : '',
        ]
          .filter(Boolean)
          .join(' '),
      ),
    ]),
  ])
  return [
    headOf(page),
    '.SH DESCRIPTION',
    ...paragraphs([
      'The file that imapfleet-edge(8) reads with --config. The format is YAML; JSON is YAML too. Every key has a default, so the file names only the keys that differ. An unchanged imapproxy.conf is accepted instead.',
      'NAME in a key is a name that you choose. There can be any number of listeners and upstreams. An upstream is a mail server.',
      'imapfleet-edge --config FILE --check prints all mistakes. After SIGHUP the edge reads the file again, and keeps its configuration if the file has mistakes. In a fleet, control can override every section except edge, http, fleet and process.',
    ]),
    '.SH EXAMPLE',
    '.nf',
    ...[
      'edge: { id: eu-1, region: eu }',
      'listeners:',
      '  imap: { address: 127.0.0.1, port: 143 }',
      'upstreams:',
      '  main: { hosts: [imap.example.org], tls: starttls }',
    ].map(roff),
    '.fi',
    '.SH KEYS',
    ...keys,
    '.SH SEE ALSO',
    '.BR imapfleet\\-edge (8)',
    '',
  ].join('\n')
}

function headOf({ name, section, summary, date, version }: ManualPage): string {
  const day = new Date(date * 1000).toISOString().slice(0, 10)
  return [
    `.TH ${roff(name.toUpperCase())} ${section} ${day} "imapfleet ${version}" imapfleet`,
    // Commands are copied from manual pages: a word is never divided.
    '.nh',
    '.ad l',
    '.SH NAME',
    `${roff(name)} \\- ${roff(summary)}`,
  ].join('\n')
}

function sectionsOf(help: Help, macro: '.SH' | '.PP', without: readonly string[]): string[] {
  return help.sections
    .filter(({ title }) => !without.includes(title))
    .flatMap(({ title, rows, lines }) => [
      ...(macro === '.SH' ? [heading('.SH', title.toUpperCase())] : ['.PP', `${roff(title)}:`]),
      ...rows.flatMap(({ term, text }) => ['.TP', bold(term), roff(text)]),
      ...(title === 'Examples' ? ['.nf', ...lines.map(roff), '.fi'] : paragraphs(lines)),
    ])
}

const paragraphs = (texts: readonly string[]) => texts.flatMap((text) => ['.PP', roff(text)])

const bold = (text: string) => `\\fB${roff(text)}\\fR`
const heading = (macro: string, text: string) => `${macro} "${roff(text).replaceAll('"', '\\(dq')}"`

/** Text for man(7): a backslash, a hyphen that may be copied, and a control character at the start of a line. */
const roff = (text: string) =>
  text
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^(?=[.'])/, '\\&')
