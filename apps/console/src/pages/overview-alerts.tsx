/** Open alerts: a few lines, and how many there are in all. */
import type { AlertSilence } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { alertDuration, alertText, alertTone, isMuted, muteWords } from '../fleet/alert-words.ts'
import { countWords, extentOf, type AlertLine } from '../fleet/open-alerts.ts'
import { PageLink } from '../router/link.tsx'
import { Note } from '../ui/note.tsx'

interface OpenAlertsProps {
  /** Undefined until control has answered. */
  list: ReturnType<typeof useOpenAlerts>
  /** The alerts to show. */
  lines: readonly AlertLine[]
  /** The page that lists all of them. */
  href: string
  /** For alerts that are muted by a silence. */
  silences?: readonly AlertSilence[]
}

/** @param edge only those of this edge */
export const useOpenAlerts = (edge?: string) =>
  useAnswer(
    `open alerts ${edge ?? ''}`,
    (signal) => call('listAlerts', { query: { state: 'open', edge, limit: 500 }, signal }),
    { everyMs: 10_000 },
  ).data

export function OpenAlerts({ list: data, lines, href, silences = [] }: OpenAlertsProps) {
  if (!data || (data.alerts.length === 0 && data.problems.length === 0)) return null
  const { count, muted } = countWords(data.alerts, data.next === null)
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
              <OpenAlert key={line.first.id} line={line} silences={silences} />
            ))}
            {data.alerts.length > lines.length && (
              <li class={data.alerts.every(isMuted) ? 'muted' : ''}>
                <PageLink href={href}>{count}</PageLink>
                {muted}
              </li>
            )}
          </ul>
        </section>
      )}
    </>
  )
}

function OpenAlert({ line, silences }: { line: AlertLine; silences: readonly AlertSilence[] }) {
  const { first, others } = line
  const now = new Date()
  const mute = muteWords(first, silences, now)
  return (
    <li class={mute === '' ? alertTone(first) : 'muted'}>
      <PageLink href={`/alerts?alert=${first.id}`}>{first.title}</PageLink>{' '}
      {others.length > 0 && `${extentOf(line)} `}
      for {alertDuration(first, now)}: {others.length > 0 && 'first, '}
      {alertText(first, now)}.{mute !== '' && ` ${mute}`}
    </li>
  )
}
