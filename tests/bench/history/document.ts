/** The history's part of docs/benchmarks.md: the bars, every question, the sizes, and how it was done. */
import type { Machine } from '../machine.ts'
import { digits, table } from '../table.ts'
import type { Options } from './options.ts'
import type { Asked } from './questions.ts'
import type { Size } from './sizes.ts'

export function documentOf(
  machine: Machine,
  asked: readonly Asked[],
  sizes: readonly Size[],
  options: Options,
): string {
  const { date, cpu, system, commit } = machine
  return [
    '## History',
    table(
      ['', ''],
      [
        ['date', date],
        ['machine', cpu],
        ['system', system],
        ['commit', commit],
      ],
    ),
    '### The bars of history',
    table(
      ['bar', 'median', ''],
      asked.flatMap(({ title, took, barMs }) =>
        barMs === undefined
          ? []
          : [
              [
                `${title}: below ${barMs} ms`,
                `${digits(middle(took))} ms`,
                middle(took) < barMs ? 'met' : 'missed',
              ],
            ],
      ),
    ),
    '### Every question',
    table(
      ['question', 'read from', 'median', 'worst', 'answer'],
      asked.map(({ title, resolution, took, answerBytes }) => [
        title,
        resolution,
        `${digits(middle(took))} ms`,
        `${digits(took.at(-1) ?? 0)} ms`,
        `${digits(answerBytes / 1024)} KiB`,
      ]),
    ),
    '### What it takes',
    table(
      ['', 'rows', 'bytes by edge and day'],
      sizes.map(({ table: name, rows, bytesEdgeDay }) => [name, digits(rows), digits(bytesEdgeDay)]),
    ),
    '### How history is measured',
    methodOf(options),
  ].join('\n\n')
}

const middle = (took: readonly number[]): number => took[Math.floor(took.length / 2)] ?? Number.NaN

const methodOf = ({ edges, days, repeat }: Options): string =>
  [
    `- ${digits(edges)} edges in four regions, a report every 10 s: a day of reports, ${days} days of rollups.`,
    '- One hour is reported over NATS, taken in and rolled up by control as always; the other hours are copies of it, each report as of a boot of its own.',
    `- Each question is asked once, and then ${repeat} times that count, over HTTP, one after the other; the answer is read to its end and parsed.`,
    '- Postgres is the one that quickstart brings, with its own settings; sizes are of tables with their indexes, after a vacuum.',
  ].join('\n')
