/** The failures that decide on a rollback: of the edges of the rollout before and now, and of the other edges. */
import type { RolloutView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { judgedRows, type JudgedRow } from '../fleet/rollout-judgement.ts'
import { amountOf, countOf } from '../format/number.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Moment } from '../ui/moment.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'

const everyMs = 5_000
const settledMs = 60_000

export function RolloutFigures({ rollout }: { rollout: RolloutView }) {
  const { revision, finishedAt, settings } = rollout
  const answer = useAnswer(
    `health of rollout ${revision}`,
    (signal) => call('readRolloutHealth', { params: { revision }, signal }),
    { everyMs: finishedAt === null ? everyMs : settledMs },
  )
  return (
    <div class="rollout-figures">
      <Answered answer={answer}>
        {(health) => (
          <>
            <Table
              caption="Failures by which the rollout is judged"
              columns={columns}
              rows={judgedRows(health, settings.errorShareMax ?? 0)}
              keyOf={({ what }) => what}
            />
            <p class="soft small">
              Now: {amountOf(health.reached.edges, 'edge')} with the revision, since{' '}
              <Moment at={health.since} />. Before: the same in the ten minutes before the rollout.
              {health.rest.edges > 0 && ` Other edges: ${countOf(health.rest.edges)} of later waves.`}
            </p>
          </>
        )}
      </Answered>
    </div>
  )
}

const verdicts = {
  good: ['good', 'healthy'],
  bad: ['bad', 'worse'],
  few: ['still', 'too few to judge'],
} as const

const columns: TableColumn<JudgedRow>[] = [
  { title: 'Figure', kind: 'head', cell: ({ what }) => what },
  { title: 'Before', kind: 'number', cell: ({ before }) => before },
  { title: 'Now', kind: 'number', cell: ({ now }) => <strong>{now}</strong> },
  { title: 'Other edges now', kind: 'number', cell: ({ rest }) => rest },
  { title: 'Rolled back above', kind: 'number', cell: ({ limit }) => limit },
  {
    title: 'Verdict',
    kind: 'fixed',
    cell: ({ verdict }) => {
      const [tone, words] = verdicts[verdict]
      return <Badge tone={tone}>{words}</Badge>
    },
  },
]
