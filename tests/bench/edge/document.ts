/** The edge's part of docs/benchmarks.md: the figures of a complete run, with everything that is needed to judge them. */
import type { Contestant } from './contestants/contestant.ts'
import type { Machine } from '../machine.ts'
import type { Options } from './options.ts'
import { table } from '../table.ts'

export interface Section {
  title: string
  story: string
  table: string
}

export function documentOf(
  machine: Machine,
  contestants: Contestant[],
  options: Options,
  bars: string,
  sections: Section[],
): string {
  const parts = [
    '## The edge',
    table(
      ['', ''],
      [
        ['date', machine.date],
        ['machine', machine.cpu],
        ['system', machine.system],
        ['commit', machine.commit],
        ...contestants.map(({ name, version }): string[] => [name, version]),
      ],
    ),
    '### The bars of the edge',
    bars,
    '### How the edge is measured',
    method(options),
    ...sections.flatMap(({ title, story, table: figures }) => [`### ${title}`, story, figures]),
  ]
  return parts.join('\n\n')
}

function method(options: Options): string {
  return [
    `- Contestants run side by side and take turns: ${options.repeat} rounds of ${options.seconds} s each. A figure is the median, with the smallest and largest in brackets.`,
    '- Each is warm: every user has logged in before, and the same load has run for 10 s (2 s with the distant server).',
    '- The stub server answers at once and ends the connection at anything it does not expect. The generator checks every byte of every reply: tags, literal lengths, and that each body is that of its own user. One wrong byte and there is no report.',
    "- CPU is the kernel's count of user and system time of all threads of the proxy, work after the client has left included, divided by the sessions. A session is one TCP connection that waits for each reply before the next command, and for the server to close.",
    '- The distant server stands behind a relay that holds each byte for 20 ms each way.',
    "- HAProxy passes TCP with one thread and opens a server connection for every client, so the server's login is part of its sessions.",
    "- Idle connections: 10,000 users log in and out, or as many as the limit of open files lets imapproxy cache; bytes each are the growth of RSS after a warm-up of 200 users. The kernel's socket buffers are not in it, for anyone.",
  ].join('\n')
}
