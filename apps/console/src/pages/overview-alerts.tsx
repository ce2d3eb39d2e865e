/** Open alerts that are neither acknowledged nor silenced, and how many are. */
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { alertDuration, alertText, alertTone, isMuted } from '../fleet/alert-words.ts'
import { alertsIn, type AlertLine } from '../fleet/open-alerts.ts'
import { amountOf } from '../format/number.ts'
import { PageLink } from '../router/link.tsx'
import { Note } from '../ui/note.tsx'

interface OpenAlertsProps {
  /** Undefined until control has answered. */
  list: ReturnType<typeof useOpenAlerts>
  /** The alerts that `alertLines` selects. */
  lines: readonly AlertLine[]
}

/** @param edge only those of this edge */
export const useOpenAlerts = (edge?: string) =>
  useAnswer(
    `open alerts ${edge ?? ''}`,
    (signal) => call('listAlerts', { query: { state: 'open', edge, limit: 500 }, signal }),
    { everyMs: 10_000 },
  ).data

export function OpenAlerts({ list: data, lines }: OpenAlertsProps) {
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
            {lines.map((line) => (
              <OpenAlert key={line.first.id} line={line} />
            ))}
            {data.alerts.length > alertsIn(lines).length && (
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

const OpenAlert = ({ line: { first, others } }: { line: AlertLine }) => (
  <li class={alertTone(first)}>
    <PageLink href={`/alerts?alert=${first.id}`}>{first.title}</PageLink>
    {others.length > 0 && ` at ${amountOf(others.length + 1, 'edge')} of ${first.region}`} for{' '}
    {alertDuration(first, new Date())}: {others.length > 0 && 'first, '}
    {alertText(first, new Date())}.
  </li>
)
