/** The history's part of docs/benchmarks.md: the targets, every query, the sizes, and how they were measured. */
import { machineTable, type Machine } from '../machine.ts'
import { digits, alignedTable } from '../table.ts'
import type { HistoryBenchOptions } from './options.ts'
import type { TimedQuestion } from './questions.ts'
import type { Size } from './sizes.ts'

export function historyDocument(
  machine: Machine,
  asked: readonly TimedQuestion[],
  sizes: readonly Size[],
  options: HistoryBenchOptions,
): string {
  return [
    '## History',
    machineTable(machine),
    '### The bars of history',
    alignedTable(
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
    alignedTable(
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
    alignedTable(
      ['', 'rows', 'bytes by edge and day'],
      sizes.map(({ table: name, rows, bytesEdgeDay }) => [name, digits(rows), digits(bytesEdgeDay)]),
    ),
    '### How history is measured',
    methodOf(options),
  ].join('\n\n')
}

const middle = (took: readonly number[]): number => took[Math.floor(took.length / 2)] ?? Number.NaN

const methodOf = ({ edges, days, repeat }: HistoryBenchOptions): string =>
  [
    `- ${digits(edges)} edges in four regions send a report every 10 s. The data has one day of reports and ${days} days of rollups.`,
    '- One hour is reported over NATS, stored and rolled up by control as usual. The other hours are copies of it, with a different boot id for each report.',
    `- Each query runs once as a warm-up and then ${repeat} times, over HTTP, one after the other. The answer is read completely and parsed.`,
    '- Postgres has the settings of quickstart, and is restarted before the queries. Sizes include indexes, after a vacuum.',
  ].join('\n')
