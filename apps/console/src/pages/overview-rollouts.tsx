/** The running rollout, and the running operation in stages. */
import type { OperationSummary, RolloutSummary } from '@imapfleet/api'
import { isUnderWay, layerText } from '@imapfleet/api'
import { ifAllowed } from '../api/allowed.ts'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { amountOf, countOf } from '../format/number.ts'
import { PageLink } from '../router/link.tsx'
import { Bar } from '../ui/bar.tsx'
import { StatusBadge } from './status-badge.tsx'

const everyMs = 3_000

export function UnderWay() {
  const { data } = useAnswer(
    'under way',
    async (signal) => {
      const [{ rollouts }, { operations }] = await Promise.all([
        ifAllowed(call('listRollouts', { query: { limit: 1 }, signal }), { rollouts: [], next: null }),
        ifAllowed(call('listOperations', { query: { limit: 1 }, signal }), { operations: [], next: null }),
      ])
      return {
        rollout: rollouts.find(isUnderWay),
        operation: operations.find(({ state }) => state === 'running' || state === 'stopped'),
      }
    },
    { everyMs },
  )
  if (!data?.rollout && !data?.operation) return null
  return (
    <section class="card under-way" aria-label="Under way">
      {data.rollout && <RolloutLine rollout={data.rollout} />}
      {data.operation && <OperationLine operation={data.operation} />}
    </section>
  )
}

function RolloutLine({ rollout: { revision, layer, state, waves, createdBy } }: { rollout: RolloutSummary }) {
  const all = waves.reduce((sum, { edges }) => sum + edges, 0)
  const reached = waves.filter((wave) => wave.state !== 'waiting').reduce((sum, { edges }) => sum + edges, 0)
  const at = waves.findIndex((wave) => wave.state === 'current')
  const wave = waves[at]
  return (
    <div class="line">
      <StatusBadge status={state} />
      <span>
        <PageLink href={`/config/${revision}`}>Rollout of revision {revision}</PageLink> to {layerText(layer)}{' '}
        by {createdBy}
        {wave && `: wave ${at + 1} of ${waves.length}, ${wave.name}`}
      </span>
      <span class="progress">
        <Bar label={`It has reached ${reached} of ${amountOf(all, 'edge')}`} parts={[reached]} all={all} />
        <span class="soft small">
          {countOf(reached)} of {amountOf(all, 'edge')}
        </span>
      </span>
    </div>
  )
}

function OperationLine({
  operation: { title, state, stages, reason, createdBy },
}: {
  operation: OperationSummary
}) {
  const done = stages.filter((stage) => stage.state === 'done').length
  return (
    <div class="line">
      <StatusBadge status={state} />
      <span>
        <PageLink href="/orders">{title}</PageLink> by {createdBy}
        {reason !== null && `: ${reason}`}
      </span>
      <span class="progress">
        <Bar
          label={`${done} of ${amountOf(stages.length, 'region')} done`}
          parts={[done]}
          all={stages.length}
        />
        <span class="soft small">
          {done} of {amountOf(stages.length, 'region')}
        </span>
      </span>
    </div>
  )
}
