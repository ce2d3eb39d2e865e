/** The fleet's part of docs/benchmarks.md: the bars, the figures, and how they were taken. */
import { machineTable, type Machine } from '../machine.ts'
import { digits, alignedTable } from '../table.ts'
import { figureOf } from '../figures.ts'
import type { ChangeFigures } from './change.ts'
import type { CpuPair } from './cpu-meter.ts'
import type { IngestFigures } from './ingest.ts'
import type { FleetBenchOptions } from './options.ts'
import type { OrderFigures } from './order.ts'
import type { PlaneUsage, Usage } from './usage.ts'

export interface FleetResults {
  idle: PlaneUsage
  orders: OrderFigures
  changes: ChangeFigures
  ingest: IngestFigures
}

export function fleetDocument(machine: Machine, results: FleetResults, options: FleetBenchOptions): string {
  return [
    `## The fleet`,
    machineTable(machine),
    '### The bars of the fleet',
    ratiosTable(results),
    'The floor is the same work without control, measured in the same run, alternating with control. Ratios are valid on slower or busier machines too. The absolute bars require an otherwise idle machine:',
    barsTable(results, options),
    '### CPU of the work',
    cpuTable(results),
    'CPU time for each edge: the sum of control, Postgres, nats-server and the benchmark as the client, without the simulated edges and without the CPU time of an idle fleet. Other programs on the machine have little effect on these figures.',
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
  const order = valueAtShare(orders.allUp, 0.99)
  const change = Math.max(...changes.changes)
  const perSecond = figureOf(ingest.perSecond).median
  const ingesting = idle.ingest.cores * 100
  return alignedTable(
    ['bar', 'figure', ''],
    [
      bar('an order to all, all edges up: p99 below 250 ms', order, 'ms', order < 250),
      bar('a change applied and acknowledged by all: within 1 s, always', change, 'ms', change <= 1_000),
      bar('reports: at least 10,000/s for one ingest process', perSecond, '/s', perSecond >= 10_000),
      bar(
        `${digits(edges / 10)} reports/s are idle: ingest below 10 % of a core`,
        ingesting,
        '%',
        ingesting < 10,
      ),
    ],
  )
}

/** Each ratio with the spread over the repeats: of each measurement to the floor next to it. */
function ratiosTable({ orders, changes, ingest }: FleetResults): string {
  const row = (text: string, ratio: number, pairs: number[], isMet: boolean) => {
    const { median, min, max } = figureOf(pairs)
    return [
      text,
      digits(ratio),
      `median ${digits(median)} (${digits(min)} to ${digits(max)})`,
      isMet ? 'met' : 'missed',
    ]
  }
  const pairs = (values: number[], floors: number[]) =>
    values.map((value, index) => value / (floors[index] ?? NaN))
  const order = valueAtShare(orders.allUp, 0.99) / valueAtShare(orders.floor, 0.99)
  const changePairs = pairs(changes.changes, changes.floorOfEach)
  const change = figureOf(changes.changes).median / figureOf(changes.floorOfEach).median
  const perSecond = figureOf(ingest.perSecond).median / figureOf(ingest.floorPerSecond).median
  return alignedTable(
    ['bar', 'ratio', 'pairs', ''],
    [
      row('order: p99 at most 2.0 of the floor', order, pairs(orders.allUp, orders.floor), order <= 2),
      row('change: median at most 2.5 of the floor', change, changePairs, change <= 2.5),
      row(
        'ingest: median at least 0.6 of the floor',
        perSecond,
        pairs(ingest.perSecond, ingest.floorPerSecond),
        perSecond >= 0.6,
      ),
    ],
  )
}

function cpuTable({ orders, changes }: FleetResults): string {
  const row = (name: string, { own, floor }: CpuPair) => [
    name,
    `${digits(own * 1e6)} µs`,
    `${digits(floor * 1e6)} µs`,
    digits(own / floor),
  ]
  return alignedTable(
    ['', 'control', 'floor', 'ratio'],
    [row('order to all', orders.cpu), row('configuration change', changes.cpu)],
  )
}

function figuresTable({ orders, changes, ingest }: FleetResults): string {
  const ms = (value: number) => `${digits(value)} ms`
  const spread = (values: number[]) =>
    `p50 ${ms(valueAtShare(values, 0.5))}, p99 ${ms(valueAtShare(values, 0.99))}, longest ${ms(Math.max(...values))}`
  const rates = (values: number[]) => {
    const { median, min, max } = figureOf(values)
    return `median ${digits(median)}/s (${digits(min)} to ${digits(max)})`
  }
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
      ['floor of an order: a bare scatter-gather', spread(orders.floor)],
      [
        `configuration change, until the last acknowledgement (${changes.changes.length} changes)`,
        spread(changes.changes),
      ],
      [
        `floor of a change: an entry of ${digits(changes.entryBytes)} bytes for each client is published, read and acknowledged`,
        spread(changes.floorOfEach),
      ],
      ['the same with one entry for all clients', spread(changes.floorOfShared)],
      [
        `reports taken in by one process (${ingest.perSecond.length} × ${digits(ingest.reports)} of ${digits(ingest.reportBytes)} bytes)`,
        rates(ingest.perSecond),
      ],
      ['floor of ingest: read, and written by a bare unnest', rates(ingest.floorPerSecond)],
    ],
  )
}

function usageTable({ idle, ingest: { usage } }: FleetResults, { edges }: FleetBenchOptions): string {
  const cell = ({ cores, residentBytes }: Usage) =>
    `${digits(cores * 100)} % of a core, ${digits(residentBytes / 2 ** 20)} MB`
  const share = (cores: number) => `${digits(cores * 100)} % of a core`
  return alignedTable(
    ['', `idle: ${digits(edges / 10)} reports/s, ${digits(edges / 5)} heartbeats/s`, 'taking in reports'],
    [
      ['control api', cell(idle.api), '–'],
      ['control ingest', cell(idle.ingest), cell(usage.ingest)],
      ['nats-server', cell(idle.nats), cell(usage.nats)],
      ['Postgres', cell(idle.postgres), cell(usage.postgres)],
      ['the simulated edges', cell(idle.herd), cell(usage.herd)],
      ['other programs', share(idle.othersCores), share(usage.othersCores)],
      ['not given by the host', share(idle.stolenCores), share(usage.stolenCores)],
    ],
  )
}

function method({ edges, idleSeconds }: FleetBenchOptions): string {
  return [
    `- ${digits(edges)} simulated edges in four regions run in two processes, each with its own connection to nats-server. They send heartbeats every 5 s and reports every 10 s, read their desired state after each change and every 45 s, and answer orders. They do not check what they receive, because the benchmark measures control.`,
    '- One nats-server, one Postgres that flushes every commit to disk, and control as two processes (`api` and `ingest`) run on the same cores as the edges.',
    '- Floors use the same NATS and Postgres, the simulated edges as clients, and no code of control. Order: a message is published to all clients, which parse it and answer as edges do. Change: as many JetStream messages as there are clients, of the size of a desired state, are published at the same time. Then all clients are notified; each reads its own message and acknowledges it with an empty message. Ingest: a process reads the reports from a stream with the same limits, parses them with JSON.parse and writes rows with the figures of a stored report, 1,000 in a statement, two at a time. Each floor alternates with the measurement of control.',
    '- Orders and changes are sent over HTTP, one after the other. A change is complete when Postgres shows that all edges have applied it.',
    '- The reports are published to the stream while ingest is stopped. The edges continue to send heartbeats. Before each round all earlier minutes are rolled up. A round has ten times the reports that the fleet sends in a minute, and the roll-ups of one round would otherwise slow the next. The rate, also of the floor, is measured between the starts of the first and the last batch, by the clock of Postgres. At the end the benchmark checks that every report is a row.',
    `- Idle is an average over ${idleSeconds} s. Memory is RSS; for Postgres it is the sum over all its processes, with shared pages counted several times. "Not given by the host" is the steal time of the kernel: CPU time that the host gave to other virtual machines.`,
  ].join('\n')
}

export function valueAtShare(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? NaN
}
