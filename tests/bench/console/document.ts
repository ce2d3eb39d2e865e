/** The console's part of docs/benchmarks.md: the bar, the times of each page, and how they were measured. */
import { figureOf } from '../figures.ts'
import { machineTable, type Machine } from '../machine.ts'
import { alignedTable, digits } from '../table.ts'
import { tabRestMs, type LoadTimes } from './measure.ts'
import type { ConsoleBenchOptions } from './options.ts'

export interface MeasuredPage {
  title: string
  /** In a browser with a profile. */
  usual: readonly LoadTimes[]
  /** In a private window. */
  inPrivate: readonly LoadTimes[]
}

const barMs = 300

export function consoleDocument(
  machine: Machine,
  empty: MeasuredPage,
  pages: readonly MeasuredPage[],
  options: ConsoleBenchOptions,
  browser: string,
): string {
  const slowest = pages
    .map(({ title, usual }) => ({ title, ms: figureOf(usual.map(({ first }) => first)).median }))
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
      ['page', 'first figures, ms', 'all figures, ms', 'first figures in a private window, ms'],
      [empty, ...pages].map(({ title, usual, inPrivate }) => [
        title,
        text(usual.map(({ first }) => first)),
        text(usual.map(({ whole }) => whole)),
        text(inPrivate.map(({ first }) => first)),
      ]),
    ),
    '### How the console is measured',
    [
      `- ${digits(options.edges)} simulated edges send heartbeats and reports to one control process. The browser, control, NATS and Postgres share the cores.`,
      `- Each page is loaded ${options.repeats} times in a new tab of a signed-in browser that has cached the files of the console, after loads that are not counted. The tab has been open for ${tabRestMs / 1_000} s, because Chromium starts processes for a new tab. A figure is the median, with the smallest and largest in parentheses.`,
      '- The browser has a profile on disk, and the bar is judged with it. A private window keeps the files of the console, but compiles the scripts again for each page. The loads of both alternate.',
      '- "An empty page" is one paragraph from a server of the benchmark, without scripts, styles or requests. Its figure is what the browser and this machine need for any page, and is part of every other figure.',
      '- "First figures" is the time from the start of the navigation to the frame that draws the main table or chart of the page. "All figures" includes figures from later requests.',
    ].join('\n'),
  ].join('\n\n')
}
