/** The console's part of docs/benchmarks.md: the bar, the times of each page, and how they were measured. */
import { figureOf } from '../figures.ts'
import { machineTable, type Machine } from '../machine.ts'
import { alignedTable, digits } from '../table.ts'
import { tabRestMs, type LoadTimes } from './measure.ts'
import type { ConsoleBenchOptions } from './options.ts'

export interface MeasuredPage {
  title: string
  times: readonly LoadTimes[]
}

const barMs = 300

export function consoleDocument(
  machine: Machine,
  pages: readonly MeasuredPage[],
  options: ConsoleBenchOptions,
  browser: string,
): string {
  const slowest = pages
    .map(({ title, times }) => ({ title, ms: figureOf(times.map(({ first }) => first)).median }))
    .toSorted((one, other) => other.ms - one.ms)[0]
  const text = (values: number[]) => {
    const { median, min, max } = figureOf(values)
    return `${digits(median)} (${digits(min)}–${digits(max)})`
  }
  return [
    '## The console',
    machineTable(machine, [['browser', browser]]),
    '### The bar of the console',
    alignedTable(
      ['bar', 'figure', ''],
      [
        [
          `${digits(options.edges)} edges, every page: first figures within ${barMs} ms`,
          `${digits(slowest?.ms ?? Number.NaN)} ms (${slowest?.title ?? ''})`,
          (slowest?.ms ?? Number.POSITIVE_INFINITY) <= barMs ? 'met' : 'missed',
        ],
      ],
    ),
    '### Every page',
    alignedTable(
      ['page', 'first figures, ms', 'all figures, ms'],
      pages.map(({ title, times }) => [
        title,
        text(times.map(({ first }) => first)),
        text(times.map(({ whole }) => whole)),
      ]),
    ),
    '### How the console is measured',
    [
      `- ${digits(options.edges)} simulated edges send heartbeats and reports to one control process. The browser, control, NATS and Postgres share the cores.`,
      `- Each page is loaded ${options.repeats} times in a new tab of a signed-in browser that has cached the files of the console, after a first load that is not counted. The tab has been open for ${tabRestMs / 1_000} s, because Chromium starts processes for a new tab. A figure is the median, with the smallest and largest in parentheses.`,
      '- "First figures" is the time from the start of the navigation to the frame that draws the main table or chart of the page. "All figures" includes figures from later requests.',
    ].join('\n'),
  ].join('\n\n')
}
