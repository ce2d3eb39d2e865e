/** The fleet's part of docs/benchmarks.md: the bars, the figures, and how they were taken. */
import type { Machine } from '../machine.ts'
import { digits, alignedTable } from '../table.ts'
import type { IngestFigures } from './ingest.ts'
import type { FleetBenchOptions } from './options.ts'
import type { OrderFigures } from './order.ts'
import type { PlaneUsage, Usage } from './usage.ts'

export interface FleetResults {
  idle: PlaneUsage
  orders: OrderFigures
  /** Milliseconds each. */
  changes: number[]
  ingest: IngestFigures
}

export function fleetDocument(machine: Machine, results: FleetResults, options: FleetBenchOptions): string {
  const { date, cpu, system, commit } = machine
  const about = [
    ['date', date],
    ['machine', cpu],
    ['system', system],
    ['commit', commit],
  ]
  return [
    `## The fleet`,
    alignedTable(['', ''], about),
    '### The bars of the fleet',
    barsTable(results, options),
    '### Figures of the fleet',
    figuresTable(results),
    '### CPU and memory',
    usageTable(results, options),
    '### How the fleet is measured',
    method(options),
  ].join('\n\n')
}

function barsTable({ orders, changes, ingest, idle }: FleetResults, { edges }: FleetBenchOptions): string {
  const bar = (text: string, value: number, unit: string, isMet: boolean) => [
    text,
    `${digits(value)} ${unit}`,
    isMet ? 'met' : 'missed',
  ]
  const order = percentile(orders.allUp, 0.99)
  const change = Math.max(...changes)
  const ingesting = idle.ingest.cores * 100
  return alignedTable(
    ['bar', 'figure', ''],
    [
      bar('an order to all, all edges up: p99 below 250 ms', order, 'ms', order < 250),
      bar('a change applied and acknowledged by all: within 1 s, always', change, 'ms', change <= 1_000),
      bar(
        'reports: at least 10,000/s for one ingest process',
        ingest.perSecond,
        '/s',
        ingest.perSecond >= 10_000,
      ),
      bar(
        `${digits(edges / 10)} reports/s are idle: ingest below 10 % of a core`,
        ingesting,
        '%',
        ingesting < 10,
      ),
    ],
  )
}

function figuresTable({ orders, changes, ingest }: FleetResults): string {
  const ms = (value: number) => `${digits(value)} ms`
  const spread = (values: number[]) =>
    `p50 ${ms(percentile(values, 0.5))}, p99 ${ms(percentile(values, 0.99))}, longest ${ms(Math.max(...values))}`
  const { someDead, someSilent } = orders
  return alignedTable(
    ['', 'figure'],
    [
      [`order to all, until the last answer (${orders.allUp.length} orders)`, spread(orders.allUp)],
      [
        `order to all, 3 edges dead and still expected (deadline ${ms(someDead.deadlineMs)})`,
        `${ms(someDead.ms)}, naming ${someDead.named.join(', ')}`,
      ],
      ['order to all, the same 3 known to be silent and not waited for', spread(someSilent)],
      [`configuration change, until the last acknowledgement (${changes.length} changes)`, spread(changes)],
      [
        `reports taken in by one process (${digits(ingest.reports)} of ${digits(ingest.reportBytes)} bytes)`,
        `${digits(ingest.perSecond)}/s`,
      ],
    ],
  )
}

function usageTable({ idle, ingest: { usage } }: FleetResults, { edges }: FleetBenchOptions): string {
  const cell = ({ cores, residentBytes }: Usage) =>
    `${digits(cores * 100)} % of a core, ${digits(residentBytes / 2 ** 20)} MB`
  const others = ({ othersCores }: PlaneUsage) => `${digits(othersCores * 100)} % of a core`
  return alignedTable(
    ['', `idle: ${digits(edges / 10)} reports/s, ${digits(edges / 5)} heartbeats/s`, 'taking in reports'],
    [
      ['control api', cell(idle.api), '–'],
      ['control ingest', cell(idle.ingest), cell(usage.ingest)],
      ['nats-server', cell(idle.nats), cell(usage.nats)],
      ['Postgres', cell(idle.postgres), cell(usage.postgres)],
      ['the simulated edges', cell(idle.herd), cell(usage.herd)],
      ['others on the machine', others(idle), others(usage)],
    ],
  )
}

function method({ edges, idleSeconds }: FleetBenchOptions): string {
  return [
    `- ${digits(edges)} simulated edges in four regions run in two processes, each with its own connection to nats-server. They send heartbeats every 5 s and reports every 10 s, read their desired state when told and every 45 s, and answer orders. They do not check what they receive: the benchmark measures control.`,
    '- One nats-server, one Postgres that flushes every commit to disk, and control as two processes (`api` and `ingest`) run on the same cores as the edges.',
    '- Orders and changes are sent over HTTP, one after the other. A change is complete when Postgres shows that all edges have applied it.',
    '- The reports are published to the stream while ingest is stopped. Ingest is timed from the first report that it takes until the stream is empty, while the edges continue to send heartbeats. Afterwards every report is a row.',
    `- Idle is an average over ${idleSeconds} s. Memory is RSS; for Postgres it is the sum over all its processes, with shared pages counted several times.`,
  ].join('\n')
}

function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
}
