/** Turns samples into tables: a row for each figure, a column for each contestant, and ours as a ratio to the others. */
import { figureOf } from '../figures.ts'
import type { IdleSample, IdleSamples } from './idle.ts'
import type { Sample, Samples } from './measure.ts'
import type { StartSamples } from './start.ts'
import { questionsOf, distantRoundTripMs, type BenchScenario } from './scenarios.ts'
import { digits, alignedTable } from '../table.ts'
import type { ContestantName } from './options.ts'

interface Row<T> {
  label: string
  value: (sample: T) => number
  /** Whether the table shows the ratio of ours to the others. */
  compared: boolean
  /** A figure of the proxy: left out for the contestant without one. */
  ofProxy?: boolean
}

const megabyte = 2 ** 20

const rate: Row<Sample> = { label: 'sessions/s', value: (s) => s.sessionsPerSecond, compared: true }
const latency: Row<Sample>[] = [
  { label: 'session p50, ms', value: (s) => s.sessionP50Ms, compared: true },
  { label: 'session p99, ms', value: (s) => s.sessionP99Ms, compared: true },
  { label: 'login p50, ms', value: (s) => s.loginP50Ms, compared: true },
  { label: 'login p99, ms', value: (s) => s.loginP99Ms, compared: true },
]
const cost: Row<Sample>[] = [
  { label: 'CPU of the proxy per session, µs', value: (s) => s.cpuUs, compared: true, ofProxy: true },
  { label: 'memory (RSS), MB', value: (s) => s.residentBytes / megabyte, compared: false, ofProxy: true },
  { label: 'logins at the server per session', value: (s) => s.serverLogins, compared: false },
  { label: 'sessions given up after 5 s', value: (s) => s.stalled, compared: false },
  { label: 'CPU of stub and generator per session, µs', value: (s) => s.harnessCpuUs, compared: false },
  { label: 'CPU used by others, cores', value: (s) => s.othersCpu, compared: false },
]

export function scenarioTable(scenario: BenchScenario, samples: Samples): string {
  if (scenario.group === 'distance') {
    const trips: Row<Sample> = { label: 'round trips', value: roundTrips, compared: true }
    return figuresTable(
      [{ ...latency[0]!, label: 'page p50, ms' }, trips, latency[2]!, ...cost.slice(2, 4)],
      samples,
    )
  }
  if (scenario.group !== 'bodies') return figuresTable([rate, ...latency, ...cost], samples)
  const perSession = (questionsOf(scenario) - 1) * megabyte
  const throughput: Row<Sample> = {
    label: 'MB/s',
    value: (s) => (s.sessionsPerSecond * perSession) / 1e6,
    compared: true,
  }
  return figuresTable([throughput, ...latency.slice(0, 2), ...cost], samples)
}

/** Time of a page in round trips to the distant server. */
export function roundTrips(sample: Sample): number {
  return sample.sessionP50Ms / distantRoundTripMs
}

export function idleTable(samples: IdleSamples): string {
  const rows: Row<IdleSample>[] = [
    { label: 'connections cached', value: (s) => s.connections, compared: false },
    { label: 'bytes each', value: (s) => s.bytesEach, compared: true },
    { label: 'memory (RSS), MB', value: (s) => s.residentBytes / megabyte, compared: true },
    { label: 'served from the cache afterwards, %', value: (s) => s.servedFromCache * 100, compared: false },
  ]
  return figuresTable(rows, samples)
}

export function startTable({ installed, sources }: StartSamples): string {
  const cell = (values: number[]) => {
    const { median, min, max } = figureOf(values)
    return `${digits(median)} (${digits(min)}–${digits(max)})`
  }
  return alignedTable(
    ['', 'as a package installs it', 'from the sources'],
    [['ready after, ms', cell(installed), cell(sources)]],
  )
}

function figuresTable<T>(rows: Row<T>[], samples: Map<ContestantName, T[]>): string {
  const names = [...samples.keys()]
  const rivals = samples.has('imapfleet')
    ? (['imapproxy', 'HAProxy'] as const).filter((name) => samples.has(name))
    : []
  const median = (row: Row<T>, name: ContestantName) =>
    figureOf((samples.get(name) ?? []).map(row.value)).median
  const cell = (row: Row<T>, name: ContestantName) => {
    if (row.ofProxy && name === 'no proxy') return '–'
    const figure = figureOf((samples.get(name) ?? []).map(row.value))
    const range = figure.min === figure.max ? '' : ` (${digits(figure.min)}–${digits(figure.max)})`
    return digits(figure.median) + range
  }
  const ratio = (row: Row<T>, rival: ContestantName) =>
    row.compared ? `${digits(median(row, 'imapfleet') / median(row, rival))} ×` : ''
  return alignedTable(
    ['', ...names, ...rivals.map((name) => `ours to ${name}`)],
    rows.map((row) => [
      row.label,
      ...names.map((name) => cell(row, name)),
      ...rivals.map((name) => ratio(row, name)),
    ]),
  )
}
