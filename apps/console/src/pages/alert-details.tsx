/** One alert: where, since when, what to do, earlier changes, its acknowledgement, and its messages. */
import { extentText, type AlertDetail, type AlertMessage, type AlertPreceding } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { alertDuration, alertStateWords, alertText, alertTone, isMuted } from '../fleet/alert-words.ts'
import { historyAddress } from '../fleet/history-question.ts'
import { choose } from '../router/location.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Badge } from '../ui/badge.tsx'
import { Facts } from '../ui/facts.tsx'
import { Moment } from '../ui/moment.tsx'
import { Table, type TableColumn } from '../ui/table.tsx'
import type { Muting } from './alert-mute.tsx'
import { mayCall } from '../api/rights.ts'

export function AlertDetails({ id, onMute }: { id: number; onMute: (muting: Muting) => void }) {
  const answer = useAnswer(`alert ${id}`, (signal) => call('readAlert', { params: { id }, signal }), {
    everyMs: 10_000,
  })
  const tone =
    answer.data && answer.data.state === 'open' && !isMuted(answer.data) ? alertTone(answer.data) : 'still'
  return (
    <section class={`card alert-details ${tone}`} aria-label={`Alert ${id}`}>
      <Answered answer={answer}>{(alert) => <Details alert={alert} onMute={onMute} />}</Answered>
    </section>
  )
}

function Details({ alert, onMute }: { alert: AlertDetail; onMute: (muting: Muting) => void }) {
  const { rule, region, edge, subject, acknowledged, silencedBy, openedAt, resolvedAt } = alert
  const preset = { rule, subject, region: region ?? undefined, edge: edge ?? undefined }
  return (
    <>
      <div class="card-head">
        <div>
          <h2>
            {alert.title} <Badge tone="still">{alertStateWords(alert)}</Badge>
          </h2>
          <p>{alertText(alert, new Date())}.</p>
        </div>
        <div class="row">
          {alert.state === 'open' && mayCall('acknowledgeAlert') && (
            <button
              type="button"
              class="button primary"
              onClick={() => onMute({ kind: 'acknowledge', alert })}
            >
              Acknowledge
            </button>
          )}
          {alert.state !== 'resolved' && mayCall('silenceAlerts') && (
            <button type="button" class="button" onClick={() => onMute({ kind: 'silence', preset })}>
              Silence
            </button>
          )}
          <button type="button" class="button quiet" onClick={() => choose({ alert: '' })}>
            Close
          </button>
        </div>
      </div>
      <div class="card-body">
        <Facts
          rows={[
            ['What to do', alert.action],
            ['Where', <Where alert={alert} />],
            [
              'Since',
              <>
                <Moment at={alert.since} />, for {alertDuration(alert, new Date())}
              </>,
            ],
            ['Changed before', <Preceding changes={alert.preceding} />],
            ['Rule', `${rule}, ${alert.severity}`],
            ...(openedAt === null ? [] : [['Opened', <Moment at={openedAt} />] as const]),
            ...(resolvedAt === null ? [] : [['Resolved', <Moment at={resolvedAt} />] as const]),
            ...(acknowledged
              ? [
                  [
                    'Acknowledged',
                    <>
                      by {acknowledged.by} until <Moment at={acknowledged.until} />: {acknowledged.reason}
                    </>,
                  ] as const,
                ]
              : []),
            ...(silencedBy === null ? [] : [['Silenced', `by silence ${silencedBy}`] as const]),
          ]}
        />
      </div>
      {alert.messages.length > 0 && (
        <Table
          caption={`Messages about alert ${alert.id}`}
          columns={messageColumns}
          rows={alert.messages}
          keyOf={({ id }) => id}
        />
      )}
    </>
  )
}

/** Around the start of the alert, in the history. */
const aroundMs = 1_800_000

function Where({ alert: { edge, region, extent, since } }: { alert: AlertDetail }) {
  const at = Date.parse(since)
  const scope = edge === null ? (region === null ? {} : { region }) : { edge }
  return (
    <>
      {edge !== null && <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink>}
      {edge === null && (region ?? 'the whole fleet')}
      {extent.length > 0 && ` (${extentText(extent)})`}
      {', '}
      <PageLink href={historyAddress(at - aroundMs, at + aroundMs, scope)}>history around the start</PageLink>
    </>
  )
}

const Preceding = ({ changes }: { changes: readonly AlertPreceding[] }) =>
  changes.length === 0 ? (
    'nothing, in the hour before'
  ) : (
    <ul class="preceding">
      {changes.map(({ at, by, text, revision, undo }) => (
        <li key={`${at} ${text}`}>
          <Moment at={at} />{' '}
          {revision === null ? text : <PageLink href={`/config/${revision}`}>{text}</PageLink>}
          {by !== null && `, by ${by}`}
          {undo !== null && revision === null && (
            <>
              . To undo it: <code>{undo}</code>
            </>
          )}
        </li>
      ))}
    </ul>
  )

const tones = { sent: 'good', waiting: 'warn', failed: 'bad' } as const

const messageColumns: TableColumn<AlertMessage>[] = [
  { title: 'Channel', kind: 'fixed', cell: ({ channel }) => channel },
  { title: 'State', kind: 'fixed', cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge> },
  { title: 'Sent', kind: 'fixed', cell: ({ sentAt }) => (sentAt === null ? '–' : <Moment at={sentAt} />) },
  { title: 'Attempts', kind: 'number', cell: ({ attempts }) => attempts },
  { title: 'Error', kind: 'wide', cell: ({ error }) => error ?? '' },
]
