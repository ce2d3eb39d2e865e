/** The measured part of docs/sizing.md: one column for each size, and how each figure grows. */
import { figureOf } from '../figures.ts'
import { valueAtShare } from '../fleet/document.ts'
import type { HerdPattern } from '../fleet/herd/messages.ts'
import type { Usage } from '../fleet/usage.ts'
import { machineTable, type Machine } from '../machine.ts'
import { alignedTable, digits } from '../table.ts'
import type { ScaleFigures } from './bench.ts'
import type { ScaleOptions } from './options.ts'

interface Row {
  name: string
  unit: string
  of: (figures: ScaleFigures) => number
}

export function scaleDocument(
  machine: Machine,
  results: ScaleFigures[],
  options: ScaleOptions,
  pattern: HerdPattern,
): string {
  const requests = Object.keys(results[0]?.requests ?? {})
  const times: Row[] = [
    {
      name: 'order to all, until the last answer: median',
      unit: 'ms',
      of: ({ orders }) => valueAtShare(orders, 0.5),
    },
    { name: 'order to all: longest', unit: 'ms', of: ({ orders }) => Math.max(...orders) },
    {
      name: 'configuration change, until the last acknowledgement: median',
      unit: 'ms',
      of: ({ changes }) => figureOf(changes).median,
    },
    { name: 'configuration change: longest', unit: 'ms', of: ({ changes }) => Math.max(...changes) },
    ...requests.flatMap((name): Row[] => [
      {
        name: `${name}: median`,
        unit: 'ms',
        of: (figures) => figureOf(figures.requests[name]?.ms ?? []).median,
      },
      {
        name: `${name}: answer`,
        unit: 'KiB',
        of: (figures) => (figures.requests[name]?.bytes ?? NaN) / 1024,
      },
    ]),
    { name: '/v1/live: until all edges were received', unit: 'ms', of: ({ live }) => live.firstMs },
    { name: '/v1/live: first events', unit: 'KiB', of: ({ live }) => live.firstBytes / 1024 },
    { name: '/v1/live: afterwards', unit: 'KiB/s', of: ({ live }) => live.bytesPerSecond / 1024 },
    { name: 'reports taken in', unit: '/s', of: ({ reportsPerSecond }) => reportsPerSecond },
    { name: 'all edges connected and known', unit: 's', of: ({ joinSeconds }) => joinSeconds },
  ]
  const usage = (name: string, of: (figures: ScaleFigures) => Usage): Row[] => [
    { name: `${name}: CPU`, unit: '% of a core', of: (figures) => of(figures).cores * 100 },
    { name: `${name}: memory`, unit: 'MB', of: (figures) => of(figures).residentBytes / 2 ** 20 },
  ]
  const idle: Row[] = [
    ...usage('control', ({ idle: { api } }) => api),
    ...usage('nats-server', ({ idle: { nats } }) => nats),
    ...usage('Postgres', ({ idle: { postgres } }) => postgres),
    {
      name: 'other programs on the machine',
      unit: '% of a core',
      of: (figures) => figures.idle.othersCores * 100,
    },
    { name: 'table `edges`, bytes for each edge', unit: 'bytes', of: ({ edgeRowBytes }) => edgeRowBytes },
    {
      name: 'table `reports`, bytes for each report',
      unit: 'bytes',
      of: ({ reportRowBytes }) => reportRowBytes,
    },
    { name: 'desired state of an edge in NATS', unit: 'bytes', of: ({ entryBytes }) => entryBytes },
  ]
  return [
    '## Measured',
    machineTable(machine, [['repeat', '`npm run bench scale`']]),
    table(times, results),
    '### While nothing happens',
    table(idle, results),
    '### How it is measured',
    method(options, pattern),
  ].join('\n\n')
}

/** Growth: the exponent between the smallest and the largest fleet. 1: twice the edges, twice the figure. */
function table(rows: Row[], results: ScaleFigures[]): string {
  const first = results[0]
  const last = results.at(-1)
  return alignedTable(
    ['', ...results.map(({ edges }) => `${digits(edges)} edges`), 'growth'],
    rows.map(({ name, unit, of }) => [
      name,
      ...results.map((each) => `${digits(of(each))} ${unit}`),
      first && last && first !== last
        ? digits(Math.log(of(last) / of(first)) / Math.log(last.edges / first.edges))
        : '–',
    ]),
  )
}

function method(options: ScaleOptions, pattern: HerdPattern): string {
  return [
    `- One control process (\`all\`), one nats-server and one Postgres run on the same cores as the simulated edges. "Other programs" shows what else used the machine: the larger this value is, the less reliable the times are.`,
    `- The edges run in two processes. ${pattern.edgesPerConnection} of them share a connection to NATS, each with its own subscriptions and messages. They send a heartbeat every ${pattern.heartbeatMs / 1000} s and a report every ${pattern.reportMs / 1000} s, which is less often than real edges (5 s and 10 s): multiply the CPU of heartbeats and reports accordingly.`,
    `- ${options.orders} orders, ${options.changes} changes and ${options.requests} requests of each kind run one after the other, after a first one that is not counted. The last answer includes parsing by the benchmark. About ${digits(options.reports)} reports are stored.`,
    '- "growth" is the exponent between the smallest and the largest fleet: 1 is linear, 0 is constant, 2 is quadratic.',
  ].join('\n')
}
