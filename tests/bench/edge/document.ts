/** The edge's part of docs/benchmarks.md: the figures of a complete run, and how they were measured. */
import type { Contestant } from './contestants/contestant.ts'
import { machineTable, type Machine } from '../machine.ts'
import type { EdgeBenchOptions } from './options.ts'

export interface Section {
  title: string
  story: string
  table: string
}

export function edgeDocument(
  machine: Machine,
  contestants: Contestant[],
  options: EdgeBenchOptions,
  bars: string,
  sections: Section[],
): string {
  const parts = [
    '## The edge',
    machineTable(
      machine,
      contestants.map(({ name, version }) => [name, version]),
    ),
    '### The bars of the edge',
    bars,
    '### How the edge is measured',
    method(options),
    ...sections.flatMap(({ title, story, table: figures }) => [`### ${title}`, story, figures]),
  ]
  return parts.join('\n\n')
}

function method(options: EdgeBenchOptions): string {
  return [
    `- All programs run at the same time and take turns under load: ${options.repeat} rounds of ${options.seconds} s each. A figure is the median, with the smallest and largest in parentheses.`,
    '- Each program is warmed up: every user has logged in before, and the same load has run for 10 s (2 s with the distant server).',
    '- The stub server answers immediately and closes the connection on unexpected input. The generator checks every byte of every reply: tags, literal lengths, and that each body belongs to its user. After one wrong byte there is no report.',
    '- CPU is the user and system time of all threads of the proxy as the kernel counts it, including work after the client disconnected, divided by the number of sessions. A session is one TCP connection that waits for each reply before the next command, and for the server to close.',
    '- The distant server is behind a relay that delays each byte by 20 ms in each direction.',
    '- HAProxy forwards TCP with one thread and opens a server connection for every client, so its sessions include the login at the server.',
    '- Idle connections: 10,000 users log in and out, or as many as imapproxy can cache under the limit of open files. Bytes per connection are the growth of RSS after a warm-up of 200 users, without the socket buffers of the kernel.',
  ].join('\n')
}
