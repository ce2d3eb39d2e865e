/** The part of docs/benchmarks.md about webmail pages: the figures of a complete run, and how they were measured. */
import { machineTable, type Machine } from '../machine.ts'
import type { PagesBenchOptions } from './options.ts'

export interface PagesSection {
  title: string
  story: string
  tables: string[]
}

export function pagesDocument(
  machine: Machine,
  versions: [string, string][],
  options: PagesBenchOptions,
  bars: string,
  sections: readonly PagesSection[],
): string {
  return [
    '## Webmail pages',
    machineTable(machine, versions),
    '### The bars of webmail pages',
    bars,
    '### How webmail pages are measured',
    method(options),
    ...sections.flatMap(({ title, story, tables }) => [`### ${title}`, story, ...tables]),
  ].join('\n\n')
}

function method({ repeat, seed, contestants }: PagesBenchOptions): string {
  const sessions = `${repeat === 1 ? 'One session' : `${repeat} sessions`} with the seeds from ${seed}`
  return [
    `- Debian's Roundcube without plugins, as it is installed, with its sqlite database, before ${contestants.join(', ')}. Each has its own Roundcube and its own Dovecot.`,
    `- A seed decides which pages a session asks for, and of which mails. ${sessions}, each of a user who has never logged in before, are played at every distance. The contestants take turns; at 60 ms, where they mostly wait, they play at the same time. Before that, another user's session runs, from which the edge learns.`,
    '- The mailbox has 8 folders with 563 mails of one to five parts, one of 4 MB. New mail is delivered to it during the session.',
    '- A relay delays each byte on its way to and from the server. It does not limit the bandwidth.',
    '- Round trips of a page: its time without the time of the same page with the server on this machine (the shorter of two), divided by the round trip.',
    '- Waits of a page: the time in which Roundcube waited for an answer of the mail server, by the round trip. This leaves out the work of Roundcube, but not that of the server.',
    '- Every page is compared with the one that Roundcube shows without a proxy, apart from tokens, identifiers and times of day. A page that differs ends the benchmark.',
    '- CPU is the user and system time of all processes of Dovecot, or of the proxy, as the kernel counts it.',
  ].join('\n')
}
