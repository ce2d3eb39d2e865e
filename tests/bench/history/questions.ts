/** Queries that operators run, over HTTP, each several times, some with a target. */
import type { BenchPlane } from '../fleet/plane.ts'
import { BenchError } from '../problem.ts'

export interface BenchQuestion {
  title: string
  query: Record<string, string>
  /** The target: milliseconds that the median must stay below. Undefined: no target. */
  barMs?: number
  /** Groups that the answer must have. */
  groups: number
}

export interface TimedQuestion extends BenchQuestion {
  /** Milliseconds, ascending. */
  took: number[]
  resolution: string
  answerBytes: number
}

const hourMs = 3_600_000
const metrics = 'logins_total{result="ok"},upstream_reuses_total,sessions_total:rate,upstreams_idle'

/** `from`: start of the newest hour. `days`: length of the data up to its end. */
export function historyQuestions(
  from: number,
  days: number,
  regions: number,
  edges: number,
): BenchQuestion[] {
  const to = from + hourMs
  const span = (ms: number) => ({ from: new Date(to - ms).toISOString(), to: new Date(to).toISOString() })
  const month = span(days * 24 * hourMs)
  return [
    {
      title: `${days} days by region, steps of 6 h`,
      query: { metrics, ...month, step: '6h', groupBy: 'region' },
      barMs: 300,
      groups: regions,
    },
    {
      title: 'a raw hour by region, steps of 10 s',
      query: { metrics, ...span(hourMs), step: '10s', groupBy: 'region' },
      barMs: 300,
      groups: regions,
    },
    {
      title: `p99 of logins over ${days} days by region, steps of 6 h`,
      query: { metrics: 'login_seconds:p99', ...month, step: '6h', groupBy: 'region' },
      barMs: 500,
      groups: regions,
    },
    {
      title: `${days} days of the fleet, steps of 1 h`,
      query: { metrics, ...month, step: '1h', groupBy: 'fleet' },
      groups: 1,
    },
    {
      title: 'a day by region, steps of 1 min',
      query: { metrics, ...span(24 * hourMs), step: '1m', groupBy: 'region' },
      groups: regions,
    },
    {
      title: 'a raw hour of one edge, steps of 10 s',
      query: { metrics, ...span(hourMs), step: '10s', groupBy: 'edge', edge: 'edge-0001' },
      groups: 1,
    },
    {
      title: 'a day of one region edge by edge, steps of 1 h',
      query: { metrics, ...span(24 * hourMs), step: '1h', groupBy: 'edge', region: 'eu' },
      groups: edges / regions,
    },
  ]
}

export async function askAll(
  plane: BenchPlane,
  questions: readonly BenchQuestion[],
  repeat: number,
): Promise<TimedQuestion[]> {
  const asked: TimedQuestion[] = []
  for (const question of questions) {
    const path = `/v1/stats/history?${new URLSearchParams(question.query).toString()}`
    // The first query reads from disk and does not count.
    const first = answerIn(await plane.ask(path), question)
    const took: number[] = []
    for (let turn = 0; turn < repeat; turn++) {
      const startedAt = performance.now()
      await plane.ask(path)
      took.push(performance.now() - startedAt)
    }
    asked.push({ ...question, ...first, took: took.toSorted((a, b) => a - b) })
  }
  return asked
}

/** Throws if the response lacks values. */
function answerIn(
  body: unknown,
  { title, groups }: BenchQuestion,
): { resolution: string; answerBytes: number } {
  const answer = body as {
    resolution: string
    groups: { values: (number | null)[][]; totals: (number | null)[] }[]
  }
  const complete = answer.groups.filter(({ totals }) => totals.every((total) => total !== null))
  if (complete.length !== groups)
    throw new BenchError(`${title}: ${complete.length} groups have all values, not ${groups}`)
  return { resolution: answer.resolution, answerBytes: JSON.stringify(body).length }
}
