/** What happened in a time range: revisions, rollouts, drains and restarts. It explains what charts show. */
import {
  layerText,
  type AuditEntry,
  type EdgeView,
  type RevisionView,
  type RolloutSummary,
} from '@imapfleet/api'
import { amountOf } from '../format/number.ts'

export interface Mark {
  /** Milliseconds since 1970. */
  at: number
  text: string
  href?: string
}

export interface Happened {
  revisions: readonly Pick<RevisionView, 'revision' | 'createdAt' | 'createdBy' | 'layer' | 'note'>[]
  rollouts: readonly Pick<
    RolloutSummary,
    'revision' | 'layer' | 'state' | 'reason' | 'createdAt' | 'createdBy' | 'finishedAt'
  >[]
  /** Entries `edges.drain` and `edges.resume`. */
  drains: readonly Pick<AuditEntry, 'at' | 'actor' | 'action' | 'target'>[]
  edges: readonly Pick<EdgeView, 'id' | 'startedAt'>[]
}

const endings: Readonly<Record<RolloutSummary['state'], string>> = {
  completed: 'was completed',
  'rolled-back': 'was rolled back',
  aborted: 'was aborted',
  running: '',
  paused: '',
}

/** What concerns one edge. A change of another region would look like the cause of what its charts show. */
export function happenedTo(
  { id, region }: Pick<EdgeView, 'id' | 'region'>,
  { revisions, rollouts, drains, edges }: Happened,
): Happened {
  const isOf = (target: string) =>
    target === `edge/${id}` || target === `region/${region}` || !/^(edge|region)\//.test(target)
  return {
    revisions: revisions.filter(({ layer }) => isOf(layerText(layer))),
    rollouts: rollouts.filter(({ layer }) => isOf(layerText(layer))),
    drains: drains.filter(({ target }) => isOf(target)),
    edges: edges.filter((edge) => edge.id === id),
  }
}

/** Newest first. */
export function marksOf(
  { revisions, rollouts, drains, edges }: Happened,
  fromMs: number,
  toMs: number,
): Mark[] {
  const rolledOut = new Set(rollouts.map(({ revision }) => revision))
  const marks: Mark[] = [
    ...revisions
      .filter(({ revision }) => !rolledOut.has(revision))
      .map(({ revision, createdAt, createdBy, layer, note }) => ({
        at: Date.parse(createdAt),
        text: `Revision ${revision} of ${layerText(layer)} by ${createdBy}${note && `: ${note}`}`,
        href: `/config/${revision}`,
      })),
    ...rollouts.flatMap(({ revision, state, reason, createdAt, createdBy, finishedAt }) => {
      const href = `/config/${revision}`
      const began = {
        at: Date.parse(createdAt),
        text: `Rollout of revision ${revision} began, by ${createdBy}`,
        href,
      }
      if (finishedAt === null) return [began]
      return [
        began,
        {
          at: Date.parse(finishedAt),
          text: `Rollout of revision ${revision} ${endings[state]}${reason === null ? '' : `: ${reason}`}`,
          href,
        },
      ]
    }),
    ...drains.map(({ at, actor, action, target }) => ({
      at: Date.parse(at),
      text: `${target} ${action === 'edges.drain' ? 'drained' : 'resumed'} by ${actor}`,
    })),
    ...startsOf(edges),
  ]
  return marks.filter(({ at }) => at >= fromMs && at <= toMs).sort((one, other) => other.at - one.at)
}

/**
 * When the charts end: with their last step, or with what happened after it. Reports arrive later than what explains them.
 * `marks`: newest first.
 */
export const endWithMarks = (endMs: number, marks: readonly Mark[]): number =>
  Math.max(endMs, marks[0]?.at ?? 0)

/** Edges that were started within a minute are one mark, because an upgrade starts many. */
function startsOf(edges: Happened['edges']): Mark[] {
  const minutes = Map.groupBy(edges, ({ startedAt }) => startedAt.slice(0, 16))
  return [...minutes.values()].map((started) => {
    const [first] = started
    return {
      at: Date.parse(first?.startedAt ?? ''),
      text: started.length === 1 ? `${first?.id} started` : `${amountOf(started.length, 'edge')} started`,
      ...(started.length === 1 && first && { href: `/edges/${encodeURIComponent(first.id)}` }),
    }
  })
}
