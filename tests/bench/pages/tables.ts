/** Tables of the pages benchmark: round trips by kind of page, times, and what the pages cost the server. */
import { alignedTable, digits } from '../table.ts'
import { asksAhead, type PagesContestant } from './contestants.ts'
import type { SessionSample } from './measure.ts'
import {
  counterOf,
  firstPages,
  judgedPages,
  mean,
  quantile,
  perPage,
  type DistanceResults,
  type JudgedPage,
} from './results.ts'
import { pageKinds } from './session.ts'

/** Counters of the edge about commands that it sent before the client asked. */
export const aheadCounters = {
  asked: 'ahead_asked_total',
  used: 'ahead_used_total',
  dropped: 'ahead_dropped_total',
  droppedBytes: 'ahead_dropped_bytes_total',
} as const

/** By time, or by what Roundcube waited for the mail server. */
export function roundTripsTable(results: DistanceResults, measure: 'roundTrips' | 'waits'): string {
  const names = [...results.played.keys()]
  const pages = new Map(names.map((name) => [name, judgedPages(results, name)]))
  const first = [...pages.values()][0] ?? []
  const row = (label: string, suits: (page: JudgedPage) => boolean) => [
    label,
    String(first.filter(suits).length),
    ...names.map((name) => digits(mean((pages.get(name) ?? []).filter(suits).map((page) => page[measure])))),
  ]
  return alignedTable(
    [measure === 'waits' ? 'waits' : 'round trips', 'pages', ...names],
    [...pageKinds.map((kind) => row(kind, (page) => page.kind === kind)), row('all', () => true)],
  )
}

export function costTable(results: DistanceResults): string {
  const names = [...results.played.keys()]
  const times = (name: PagesContestant) =>
    (results.played.get(name) ?? []).flatMap(({ pages }) => pages.map(({ ms }) => ms))
  const figures: [string, (session: SessionSample, name: PagesContestant) => number | undefined][] = [
    ['waiting for the mail server, ms', ({ pages }) => sum(pages.map((page) => page.waitedMs))],
    ['commands at the server', ({ pages }) => sum(pages.map((page) => page.commands))],
    ['kilobytes from and to the server', ({ pages }) => sum(pages.map((page) => page.bytes)) / 1000],
    ['connections to the server', ({ connections }) => connections],
    ['CPU of Dovecot, ms', ({ serverCpuMs }) => serverCpuMs],
    ['CPU of the proxy, ms', (session, name) => (name === 'direct' ? undefined : session.proxyCpuMs)],
    ['asked ahead', ofAhead(aheadCounters.asked)],
    ['asked ahead, unused', ofAhead(aheadCounters.dropped)],
    ['kilobytes received, unused', ofAhead(aheadCounters.droppedBytes, 1000)],
  ]
  const cell = (value: number | undefined) => (value === undefined ? '–' : digits(value))
  return alignedTable(
    ['for each page', ...names],
    [
      ['time, mean, ms', ...names.map((name) => digits(mean(times(name))))],
      ['time, median, ms', ...names.map((name) => digits(quantile(times(name), 0.5)))],
      ['time, p95, ms', ...names.map((name) => digits(quantile(times(name), 0.95)))],
      ...figures.map(([label, figure]) => [
        label,
        ...names.map((name) => cell(perPage(results.played.get(name), (each) => figure(each, name)))),
      ]),
    ],
  )
}

function ofAhead(counter: string, unit = 1) {
  return (session: SessionSample, name: PagesContestant) =>
    asksAhead(name) ? counterOf(session, counter) / unit : undefined
}

/**
 * How the round trips of a page fall while the edge learns: in first sessions of all, and in sessions of users that it
 * does not know.
 */
export function learningTable(results: DistanceResults): string | undefined {
  if (!results.played.has('edge with ahead')) return undefined
  const known = judgedPages(results, 'edge with ahead')
  const first = firstPages(results, 'edge with ahead')
  const between = (pages: JudgedPage[], from: number, to: number) =>
    digits(mean(pages.filter(({ at }) => at >= from && at < to).map((page) => page.roundTrips)))
  const row = (label: string, from: number, to: number) => [
    label,
    between(first, from, to),
    between(known, from, to),
  ]
  return alignedTable(
    ['round trips in pages', 'first sessions of all', 'a new user later'],
    [row('1 and 2', 0, 2), row('3 to 10', 2, 10), row('11 to 20', 10, 20), row('21 and later', 20, Infinity)],
  )
}

function sum(values: number[]): number {
  return values.reduce((total, value) => total + value, 0)
}
