/** What is wrong with an edge, as lists and screens show it. */
import { withMoments, type EdgeView } from '@imapfleet/api'
import { ago, dayAndClock } from './time.ts'

/** One text for each problem. Control decides what is a problem; only the time of a silence is relative to now. */
export const problemsText = (
  { problems, lastSeenAt }: Pick<EdgeView, 'problems' | 'lastSeenAt'>,
  now: number,
): string[] =>
  problems.map(({ kind, text }) =>
    kind === 'silent' ? `last heartbeat ${ago(lastSeenAt, now)}` : withMoments(text, dayAndClock),
  )
