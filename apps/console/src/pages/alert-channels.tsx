/** Where alerts are sent, and whether that works. */
import type { AlertChannelView } from '@imapfleet/api'
import { call, sentenceOf } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Card } from '../ui/card.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { Empty } from '../ui/state.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import { tell } from '../ui/toast.tsx'

export function AlertChannels() {
  const answer = useAnswer('alert channels', (signal) => call('listAlertChannels', { signal }), {
    everyMs: 10_000,
  })
  const test = async ({ name }: AlertChannelView) => {
    try {
      await call('testAlertChannel', { params: { name } })
      answer.reload()
      tell('good', `A test message to ${name} is on its way.`)
    } catch (error) {
      tell('bad', sentenceOf(error))
    }
  }
  return (
    <Card title="Channels" about="Control reads them from the file in ALERTS_FILE.">
      <Answered answer={answer}>
        {({ channels, deadMan }) => (
          <>
            {channels.length === 0 ? (
              <Empty title="No channels">
                {' '}
                Write a file of channels, set <code>ALERTS_FILE</code> of each control process to it, and
                restart control.
              </Empty>
            ) : (
              <Table
                caption="Channels"
                columns={columns((channel) => void test(channel))}
                rows={channels}
                keyOf={({ name }) => name}
              />
            )}
            {!deadMan && (
              <div class="card-body">
                <Note tone="warn">
                  No dead man’s webhook is configured: if control is down, no message says so.
                </Note>
              </div>
            )}
          </>
        )}
      </Answered>
    </Card>
  )
}

const columns = (test: (channel: AlertChannelView) => void): TableColumn<AlertChannelView>[] => [
  { title: 'Channel', kind: 'head', cell: ({ name }) => name },
  { title: 'Kind', kind: 'fixed', cell: ({ kind }) => kind },
  { title: 'To', cell: ({ target }) => target },
  { title: 'Alerts', cell: ({ severities, regions }) => [...severities, ...regions].join(', ') || 'all' },
  {
    title: 'Last sent',
    kind: 'fixed',
    cell: ({ lastSentAt }) => (lastSentAt === null ? 'never' : <Moment at={lastSentAt} />),
  },
  { title: 'Waiting', kind: 'number', cell: ({ waiting }) => waiting },
  {
    title: 'State',
    kind: 'wide',
    cell: ({ problem }) =>
      problem === null ? <Badge tone="good">works</Badge> : <Badge tone="bad">{problem}</Badge>,
  },
  {
    title: 'Actions',
    kind: 'actions',
    needs: 'testAlertChannel',
    cell: (channel) => (
      <button
        type="button"
        class="button small"
        aria-label={`Send a test message to ${channel.name}`}
        onClick={() => test(channel)}
      >
        Test
      </button>
    ),
  },
]
