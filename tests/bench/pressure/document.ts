/** The part of docs/benchmarks.md on restarts and failing addresses. */
import { figureOf } from '../figures.ts'
import { machineTable, type Machine } from '../machine.ts'
import { alignedTable, digits } from '../table.ts'
import {
  comparedNames,
  illnesses,
  loginsPerSecond,
  phases,
  type AddressFigures,
  type PhaseFigures,
} from './addresses.ts'
import { pressedNames, versionsOf, type PressedName } from './contestants.ts'
import type { PressureOptions } from './options.ts'
import { betweenMs, cold, downMs, limitMs, type RestartFigures, type RestartSamples } from './restart.ts'

export interface PressureResults {
  restarts: RestartSamples
  addresses: AddressFigures
}

interface Row {
  label: string
  of: (figures: RestartFigures) => number
}

const at = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN

const rows: Row[] = [
  { label: 'until all are served, s', of: ({ allServedMs }) => allServedMs / 1000 },
  { label: 'until half are served, s', of: ({ halfServedMs }) => halfServedMs / 1000 },
  { label: `users not served within ${limitMs / 1000} s`, of: ({ notServed }) => notServed },
  { label: 'failed logins', of: ({ failedLogins }) => failedLogins },
  { label: 'login p50, s', of: ({ servedMs }) => at(servedMs, 0.5) / 1000 },
  { label: 'login p99, s', of: ({ servedMs }) => at(servedMs, 0.99) / 1000 },
  { label: 'connections at the server', of: ({ connections }) => connections },
  { label: 'of these without a login, at the same time', of: ({ waitingPeak }) => waitingPeak },
  { label: 'of these disconnected by the server', of: ({ displaced }) => displaced },
]

export function pressureDocument(
  machine: Machine,
  options: PressureOptions,
  { restarts, addresses }: PressureResults,
): string {
  return [
    '## Under pressure',
    machineTable(machine, versionsOf()),
    '### How pressure is measured',
    method(options),
    '### A mail server restarts',
    `${digits(options.users)} users have a connection each. The server is gone for ${downMs / 1000} s. All figures begin when it is back.`,
    restartTable(restarts),
    '### One of two addresses fails',
    ...illnesses.flatMap((illness) => [
      illness === 'closes'
        ? 'The failing address greets, and closes the connection at the login:'
        : 'The failing address greets immediately, and takes 3 s for each login:',
      phasesTable(options, (name) => addresses.get(`${illness} ${name}`) ?? []),
    ]),
  ].join('\n\n')
}

function restartTable(samples: RestartSamples): string {
  return alignedTable(
    ['', ...pressedNames.map(titleOf)],
    rows.map(({ label, of }) => [
      label,
      ...pressedNames.map((name) => {
        const { median, min, max } = figureOf((samples.get(name) ?? []).map(of))
        const [middle, least, most] = [median, min, max].map(digits)
        return least === most ? middle! : `${middle} (${least}–${most})`
      }),
    ]),
  )
}

const titleOf = (name: PressedName): string =>
  name === 'without connectsMax' ? 'imapfleet, without connectsMax' : name

function phasesTable({ phaseSeconds }: PressureOptions, of: (name: PressedName) => PhaseFigures[]): string {
  const percent = (share: number) => `${digits(share * 100)} %`
  return alignedTable(
    [
      'time',
      'address',
      ...comparedNames.flatMap((name) => [`${name}: failed`, 'at the address', 'p50, ms', 'p99, ms']),
    ],
    phases.map((state, index) => [
      `${index * phaseSeconds}–${(index + 1) * phaseSeconds} s`,
      state,
      ...comparedNames.flatMap((name) => {
        const figures = of(name)[index]
        if (!figures) return ['–', '–', '–', '–']
        const { failed, logins, shareAtIll, p50Ms, p99Ms } = figures
        return [percent(failed / logins), percent(shareAtIll), digits(p50Ms), digits(p99Ms)]
      }),
    ]),
  )
}

function method({ repeat }: PressureOptions): string {
  return [
    `- The mail server is part of the benchmark process. After its restart it checks ${cold.processes} logins at the same time and needs ${cold.loginMs} ms for each. At ${cold.waitingMax} connections without a login it disconnects the oldest, as Dovecot does.`,
    `- A user whose login fails tries again after ${betweenMs / 1000} to ${(2 * betweenMs) / 1000} s. "failed logins" counts the failed attempts. "login" is the time of the successful attempt, including its wait in the edge.`,
    `- Number of restarts measured for each program: ${repeat}. Each program is started again for each restart. With several restarts, a figure is the median, with the smallest and largest in parentheses.`,
    '- HAProxy runs as usually configured for IMAP: one thread, TCP mode, `option redispatch`, and a TCP check of each address.',
    `- Two addresses: ${loginsPerSecond} logins a second, each of another user, so that no connection is reused. Both programs use the addresses in turn. They run at the same time, each with a separate server. "at the address" is the share of accepted logins that the failing address accepted.`,
  ].join('\n')
}
