/** The part of docs/benchmarks.md that shows where the CPU time of a session goes. */
import type { ContestantName } from '../edge/options.ts'
import { machineTable, type Machine } from '../machine.ts'
import { alignedTable, digits } from '../table.ts'
import type { CpuProfile, CpuProfiles } from './measure.ts'

export function profileDocument(machine: Machine, seconds: number, profiles: CpuProfiles): string {
  return [
    '## Where the CPU time of a session goes',
    machineTable(machine),
    [
      `- The sessions of [the edge](#sessions-16-concurrent): LOGIN, SELECT, FETCH of 4 KB and LOGOUT, 16 at once, all users cached. Three loads of ${seconds} s each: undisturbed, under perf, and under strace.`,
      '- HAProxy forwards bytes and opens a server connection for each client. The edge reuses a server connection, reads every command and response, and resets the connection after the session.',
      '- The kernel spends less on the sessions of the edge, because the edge opens no connection. The additional time of the edge is spent in V8 and Node: calls between Node and JavaScript for each read and write, compiled JavaScript, and objects. No single function has more than a few percent.',
    ].join('\n'),
    table('µs of CPU per session', profiles, timesOf),
    table('system calls per session', profiles, ({ calls }) => calls),
    table('% of the samples', profiles, ({ parts }) => parts),
  ].join('\n\n')
}

const timesOf = ({ userUs, systemUs }: CpuProfile): ReadonlyMap<string, number> =>
  new Map([
    ['user', userUs],
    ['system', systemUs],
  ])

function table(
  title: string,
  profiles: ReadonlyMap<ContestantName, CpuProfile>,
  of: (profile: CpuProfile) => ReadonlyMap<string, number>,
): string {
  const all = [...profiles.values()].map(of)
  const names = new Set(all.flatMap((values) => [...values.keys()]))
  const rows = [...names]
    .map((name) => ({ name, values: all.map((values) => values.get(name) ?? 0) }))
    .toSorted((a, b) => Math.max(...b.values) - Math.max(...a.values))
  const sums = all.map((values) => [...values.values()].reduce((sum, each) => sum + each, 0))
  return alignedTable(
    [title, ...profiles.keys()],
    [...rows, { name: 'together', values: sums }].map(({ name, values }) => [name, ...values.map(digits)]),
  )
}
