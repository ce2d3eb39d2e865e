/** Silences that are active, and a way to end them. */
import type { AlertSilence } from '@imapfleet/api'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { silenceWords } from '../fleet/alert-words.ts'
import { Answered } from '../ui/answered.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'

export function AlertSilences() {
  const answer = useAnswer(
    'alert silences',
    (signal) => call('listAlertSilences', { query: { limit: 200 }, signal }),
    { everyMs: 10_000 },
  )
  const end = async ({ id }: AlertSilence) => {
    try {
      await call('endAlertSilence', { params: { id } })
      answer.reload()
      tell('good', `Silence ${id} has ended.`)
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
  }
  return (
    <Card title="Silences" about="Nothing is sent about alerts that they match.">
      <Answered answer={answer}>
        {({ silences }) => {
          const active = silences.filter(({ isActive }) => isActive)
          return active.length === 0 ? (
            <Empty title="No silence is active" />
          ) : (
            <Table
              caption="Active silences"
              columns={columns((silence) => void end(silence))}
              rows={active}
              keyOf={({ id }) => id}
            />
          )
        }}
      </Answered>
    </Card>
  )
}

const columns = (end: (silence: AlertSilence) => void): TableColumn<AlertSilence>[] => [
  { title: 'Matches', kind: 'wide', cell: silenceWords },
  { title: 'Until', kind: 'fixed', cell: ({ endsAt }) => <Moment at={endsAt} /> },
  { title: 'By', kind: 'fixed', cell: ({ createdBy }) => createdBy },
  { title: 'Reason', kind: 'wide', cell: ({ reason }) => reason },
  {
    title: 'Actions',
    kind: 'actions',
    needs: 'endAlertSilence',
    cell: (silence) => (
      <button
        type="button"
        class="button small"
        aria-label={`End silence ${silence.id}`}
        onClick={() => end(silence)}
      >
        End
      </button>
    ),
  },
]
