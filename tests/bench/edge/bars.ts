/** The performance targets of the edge, each with the figure that meets or misses it. */
import { figureOf } from '../figures.ts'
import type { IdleSamples } from './idle.ts'
import type { Sample, Samples } from './measure.ts'
import type { StartSamples } from './start.ts'
import type { ContestantName } from './options.ts'
import { questionsOf, benchScenarios } from './scenarios.ts'
import { digits, alignedTable } from '../table.ts'
import { roundTrips } from './tables.ts'

interface Verdict {
  bar: string
  figure: string
  /** Undefined: not measured. */
  met: boolean | undefined
}

export type EdgeResults = Map<string, Samples>

const megabyte = 2 ** 20
/** Tolerance over the round trips, for the work of the machine. */
const tripsTolerance = 0.25

export function barsTable(
  results: EdgeResults,
  idle: IdleSamples | undefined,
  starts: StartSamples | undefined,
): string {
  const verdicts = [
    ...sessionBars(results),
    ...['sessions-16', 'sessions-256'].flatMap((key) => haproxyBars(results.get(key), key)),
    loginBar(results),
    memoryBar(results.get('sessions-256')),
    ...idleBars(idle),
    startBar(starts),
    ...pageBars(results),
  ]
  const said = ({ met }: Verdict) => (met === undefined ? 'not measured' : met ? 'met' : 'missed')
  return alignedTable(
    ['bar', 'figure', ''],
    verdicts.map((row) => [row.bar, row.figure, said(row)]),
  )
}

function sessionBars(results: EdgeResults): Verdict[] {
  const sessions = results.get('sessions-16')
  const rate = ratio(sessions, 'imapproxy', (s) => s.sessionsPerSecond)
  const cpuToImapproxy = ratio(sessions, 'imapproxy', (s) => s.cpuUs)
  return [
    verdict('sessions/s, 16 concurrent: at least 20 × imapproxy', rate, (value) => value >= 20),
    verdict('CPU per session: at most 0.45 × imapproxy', cpuToImapproxy, (value) => value <= 0.45),
  ]
}

/** HAProxy in TCP mode. */
function haproxyBars(sessions: Samples | undefined, key: string): Verdict[] {
  const concurrent = key.replace('sessions-', '')
  const rate = ratio(sessions, 'HAProxy', (s) => s.sessionsPerSecond)
  const cpu = ratio(sessions, 'HAProxy', (s) => s.cpuUs)
  return [
    verdict(`sessions/s, ${concurrent} concurrent: at least HAProxy's`, rate, (value) => value >= 1),
    verdict(`CPU per session, ${concurrent} concurrent: at most HAProxy's`, cpu, (value) => value <= 1),
  ]
}

function memoryBar(sessions: Samples | undefined): Verdict {
  const bytes = median(sessions, 'imapfleet', (s) => s.residentBytes)
  const megabytes = bytes && bytes / megabyte
  return verdict(
    'RSS after the load of 256 concurrent: at most 130 MB',
    megabytes,
    (value) => value <= 130,
    'MB',
  )
}

function startBar(starts: StartSamples | undefined): Verdict {
  const share = starts && figureOf(starts.installed).median / figureOf(starts.sources).median
  return verdict('ready: at most 0.6 × the time of the sources', share, (value) => value <= 0.6)
}

function loginBar(results: EdgeResults): Verdict {
  const login = ratio(results.get('login'), 'imapproxy', (s) => s.loginP50Ms)
  return verdict('login p50 with reuse: at most 0.02 × imapproxy', login, (value) => value <= 0.02)
}

function idleBars(idle: IdleSamples | undefined): Verdict[] {
  const ours = idle?.get('imapfleet') ?? []
  const bytes = idle && figureOf(ours.map((s) => s.bytesEach)).median
  const resident = idle && figureOf(ours.map((s) => s.residentBytes)).median / megabyte
  return [
    verdict('an idle cached connection: at most 8 KB', bytes, (value) => value <= 8192, 'bytes'),
    verdict('RSS with 10,000 of them: at most 200 MB', resident, (value) => value <= 200, 'MB'),
  ]
}

function pageBars(results: EdgeResults): Verdict[] {
  return benchScenarios
    .filter(({ group }) => group === 'distance')
    .map((scenario) => {
      const questions = questionsOf(scenario)
      const trips = median(results.get(scenario.key), 'imapfleet', roundTrips)
      const bar = `${scenario.title}: ${questions} round trips, one per question`
      return verdict(bar, trips, (value) => value <= questions + tripsTolerance, 'round trips')
    })
}

function verdict(
  bar: string,
  value: number | undefined,
  meets: (value: number) => boolean,
  unit = '×',
): Verdict {
  if (value === undefined || Number.isNaN(value)) return { bar, figure: '–', met: undefined }
  return { bar, figure: `${digits(value)} ${unit}`, met: meets(value) }
}

function ratio(
  samples: Samples | undefined,
  rival: ContestantName,
  value: (s: Sample) => number,
): number | undefined {
  const ours = median(samples, 'imapfleet', value)
  const theirs = median(samples, rival, value)
  return ours === undefined || theirs === undefined ? undefined : ours / theirs
}

function median(
  samples: Samples | undefined,
  name: ContestantName,
  value: (s: Sample) => number,
): number | undefined {
  const taken = samples?.get(name)
  return taken && figureOf(taken.map(value)).median
}
