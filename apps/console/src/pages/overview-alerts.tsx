/** Open alerts that are neither acknowledged nor silenced, and how many are. */
import type { AlertView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { alertDuration, alertText, alertTone, isMuted } from '../fleet/alert-words.ts'
import { amountOf } from '../format/number.ts'
import { PageLink } from '../router/link.tsx'
import { Note } from '../ui/note.tsx'

const shownMax = 5

interface OpenAlertsProps {
  /** Undefined until control has answered. */
  list: ReturnType<typeof useOpenAlerts>
  /** Those that `alertsOnTop` selects. */
  shown: readonly AlertView[]
}

export const useOpenAlerts = () =>
  useAnswer('open alerts', (signal) => call('listAlerts', { query: { state: 'open', limit: 500 }, signal }), {
    everyMs: 10_000,
  }).data

/** Neither acknowledged nor silenced, pages before tickets. */
export const alertsOnTop = (alerts: readonly AlertView[]): AlertView[] =>
  alerts
    .filter((alert) => !isMuted(alert))
    .toSorted((a, b) => Number(a.severity === 'ticket') - Number(b.severity === 'ticket') || b.id - a.id)
    .slice(0, shownMax)

export function OpenAlerts({ list: data, shown }: OpenAlertsProps) {
  if (!data || (data.alerts.length === 0 && data.problems.length === 0)) return null
  const muted = data.alerts.filter(isMuted).length
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
            {shown.map((alert) => (
              <OpenAlert key={alert.id} alert={alert} />
            ))}
            {data.alerts.length > shown.length && (
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
    {alertDuration(alert, new Date())}: {alertText(alert, new Date())}.
  </li>
)
