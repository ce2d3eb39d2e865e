/** The figures by which a rollout is judged, as rows of a table. */
import type { FailureCounts, RolloutHealth, RolloutView } from '@imapfleet/api'
import { countOf, none, shareOf } from '../format/number.ts'
import { durationOf } from '../format/time.ts'

export interface JudgedRow {
  what: string
  /** `0.5 % of 1,200`. */
  before: string
  now: string
  rest: string
  /** The share above which everything is rolled back; empty if there are too few to judge. */
  limit: string
  verdict: 'good' | 'bad' | 'few'
}

type Part = (counts: FailureCounts) => readonly [failed: number, all: number]
const logins: Part = (counts) => [counts.failedLogins, counts.logins]
const dials: Part = (counts) => [counts.failedDials, counts.dials]

export function judgedRows(health: RolloutHealth, mayGrow: number): JudgedRow[] {
  return [
    judged('Failed logins', logins, health.loginsMin, health, mayGrow),
    judged('Failed connections to servers', dials, health.dialsMin, health, mayGrow),
  ]
}

function judged(
  what: string,
  part: Part,
  min: number,
  { reached, rest }: RolloutHealth,
  mayGrow: number,
): JudgedRow {
  const [before, now] = [part(reached.before), part(reached.now)]
  // Without earlier counts, the earlier share counts as zero.
  const limit = share(before) + mayGrow
  const isFew = now[1] < min
  return {
    what,
    before: shareText(before),
    now: shareText(now),
    rest: rest.edges === 0 ? none : shareText(part(rest.now)),
    limit: `${Number((limit * 100).toFixed(1))} %`,
    verdict: isFew ? 'few' : share(now) > limit ? 'bad' : 'good',
  }
}

const share = ([failed, all]: readonly [number, number]) => (all === 0 ? 0 : failed / all)
const shareText = ([failed, all]: readonly [number, number]) =>
  all === 0 ? 'none' : `${shareOf(failed, all)} of ${countOf(Math.round(all))}`

/** What happens next. Undefined: nothing by itself. */
export function nextStepOf({ waiting, waves }: Pick<RolloutView, 'waiting' | 'waves'>): string | undefined {
  if (waiting === null) return undefined
  const left = durationOf(waiting.secondsLeft * 1000)
  if (waiting.for === 'apply')
    return `Edges are applying the revision. If an edge does not apply it within ${left}, the rollout is rolled back.`
  const next = waves.find(({ state }) => state === 'waiting')
  const then = next ? `the wave ${next.name} starts` : 'the rollout is completed'
  return waiting.secondsLeft === 0 ? `Now ${then}.` : `In ${left} ${then}, if these edges stay healthy.`
}
