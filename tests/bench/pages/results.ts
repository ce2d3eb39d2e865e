/** The sessions of a run, and what is computed from them: round trips, percentiles, and figures of a page. */
import type { PagesContestant } from './contestants.ts'
import type { PageSample, SessionSample } from './measure.ts'
import type { PageKind } from './session.ts'

/** Sessions by contestant. Those at the same place have the same seed, and so the same pages. */
export type PlayedSessions = Map<PagesContestant, SessionSample[]>

export interface DistanceResults {
  delayMs: number
  /** As measured: timers and processes of the relay make it a little longer than twice the delay. */
  roundTripMs: number
  played: PlayedSessions
  /** The same sessions without a distance. */
  near: PlayedSessions
  /** The same first sessions without a distance. */
  nearFirst: PlayedSessions
  /** First sessions of each contestant, when its cache is empty and nothing has been learned. */
  first: PlayedSessions
}

export interface JudgedPage extends PageSample {
  /** The place in its session, from 0. */
  at: number
  roundTrips: number
  /** The time in which Roundcube waited for the mail server, by the round trip. */
  waits: number
}

/**
 * Every page with its round trips: its time, minus the time of the same page near the server, divided by the round trip
 * time.
 */
export function judgedPages(results: DistanceResults, contestant: PagesContestant): JudgedPage[] {
  const near = results.near.get(contestant) ?? []
  return (results.played.get(contestant) ?? []).flatMap((session, index) =>
    session.pages.map((page, at) => {
      const same = near[index]?.pages[at]
      const roundTrips = same ? (page.ms - same.ms) / results.roundTripMs : NaN
      return { ...page, at, roundTrips, waits: page.waitedMs / results.roundTripMs }
    }),
  )
}

/** Sessions that were played twice, with the mean time of each page. */
export function meanTimes(one: PlayedSessions, other: PlayedSessions): PlayedSessions {
  const joined = (name: PagesContestant, sessions: readonly SessionSample[]) =>
    sessions.map((session, index) => ({
      ...session,
      pages: session.pages.map((page, at) => {
        const again = other.get(name)?.[index]?.pages[at]
        return { ...page, ms: again ? mean([page.ms, again.ms]) : NaN }
      }),
    }))
  return new Map(Array.from(one, ([name, sessions]) => [name, joined(name, sessions)]))
}

/** The pages of the first sessions. */
export const firstPages = (results: DistanceResults, contestant: PagesContestant): JudgedPage[] =>
  judgedPages({ ...results, played: results.first, near: results.nearFirst }, contestant)

export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
}

export function ofKinds(pages: readonly JudgedPage[], ...kinds: PageKind[]): JudgedPage[] {
  return pages.filter(({ kind }) => kinds.includes(kind))
}

/** A figure of whole sessions, for each of their pages. */
export function perPage(
  sessions: readonly SessionSample[] | undefined,
  figure: (session: SessionSample) => number | undefined,
): number | undefined {
  if (!sessions || sessions.length === 0) return undefined
  const pages = sessions.reduce((sum, session) => sum + session.pages.length, 0)
  let total = 0
  for (const session of sessions) {
    const value = figure(session)
    if (value === undefined) return undefined
    total += value
  }
  return total / pages
}

/** Of all labels of a counter of the edge. */
export function counterOf({ counters }: SessionSample, name: string): number {
  return Object.entries(counters)
    .filter(([series]) => series === name || series.startsWith(`${name}{`))
    .reduce((sum, [, value]) => sum + value, 0)
}
