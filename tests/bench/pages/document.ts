/** The part of docs/benchmarks.md about webmail pages: the figures of a complete run, and how they were measured. */
import { machineTable, type Machine } from '../machine.ts'
import type { PagesBenchOptions } from './options.ts'
import { sessionsPerNewUser, usersAtOnce, warmUpMs } from './warm-up.ts'

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
    `- Debian's Roundcube in its default installation, with sqlite and without plugins, runs with: ${contestants.join(', ')}. Each contestant has a separate Roundcube and a separate Dovecot.`,
    `- A seed determines the pages of a session and their mails. ${sessions} run at every distance, each with a user who has never logged in before. The contestants take turns. Before that, the edge learns from a session of another user. Two more first sessions, with other pages, run through fresh edges. The figures of first sessions are means of the three.`,
    `- Before each session, ${usersAtOnce} users of another program log in, list and log out for ${warmUpMs / 1_000} s, as other users of a webmail do all the time. Each ${sessionsPerNewUser}th session is of a user who has not logged in before. The edge learns nothing about Roundcube from them.`,
    '- The mailbox has 8 folders with 563 mails of one to five parts, one of 4 MB. New mail is delivered to it during the session.',
    '- A relay delays each byte on its way to and from the server. It does not limit the bandwidth. The round trip time is measured: one byte to an echo server and back through the relay, minus the same without the relay (median of 20).',
    '- Round trips of a page: the time of the page, minus the time of the same page with the server on this machine and the same pauses (mean of a session before and one after), divided by the round trip time.',
    '- Waits of a page: the time for which Roundcube waited for answers of the mail server, divided by the round trip time. This excludes the work of Roundcube, but includes the work of the server.',
    '- Every page is compared with the page that Roundcube shows without a proxy, except for tokens, identifiers and times of day. The benchmark ends at the first page that differs.',
    '- CPU is the user and system time of all processes of Dovecot, or of the proxy, as the kernel counts it.',
  ].join('\n')
}
