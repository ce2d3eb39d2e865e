/** Open alerts that are neither acknowledged nor silenced, and how many are. */
import type { AlertView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { alertDuration, alertTone, isMuted } from '../fleet/alert-words.ts'
import { amountOf } from '../format/number.ts'
import { PageLink } from '../router/link.tsx'
import { Note } from '../ui/note.tsx'

const shownMax = 5

export function OpenAlerts() {
  const { data } = useAnswer(
    'open alerts',
    (signal) => call('listAlerts', { query: { state: 'open', limit: 500 }, signal }),
    { everyMs: 10_000 },
  )
  if (!data || (data.alerts.length === 0 && data.problems.length === 0)) return null
  const unmuted = data.alerts
    .filter((alert) => !isMuted(alert))
    .toSorted((a, b) => Number(a.severity === 'ticket') - Number(b.severity === 'ticket') || b.id - a.id)
  const muted = data.alerts.length - unmuted.length
  return (
    <>
      {data.problems.map((problem) => (
        <Note key={problem} tone="bad">
          {problem}
        </Note>
      ))}
      {data.alerts.length > 0 && (
        <section class="findings card" aria-label="Open alerts">
          <ul>
            {unmuted.slice(0, shownMax).map((alert) => (
              <OpenAlert key={alert.id} alert={alert} />
            ))}
            {(unmuted.length > shownMax || muted > 0) && (
              <li>
                <PageLink href="/alerts">{amountOf(data.alerts.length, 'open alert')}</PageLink>
                {muted > 0 && `, ${muted} of them acknowledged or silenced`}
              </li>
            )}
          </ul>
        </section>
      )}
    </>
  )
}

const OpenAlert = ({ alert }: { alert: AlertView }) => (
  <li class={alertTone(alert)}>
    <PageLink href={`/alerts?alert=${alert.id}`}>{alert.title}</PageLink> for{' '}
    {alertDuration(alert, new Date())}: {alert.text}.
  </li>
)
