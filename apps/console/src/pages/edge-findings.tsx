/** The open alerts of an edge, and what it reports that no alert covers. */
import type { EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call } from '../api/client.ts'
import { mayCall } from '../api/rights.ts'
import { useAnswer } from '../api/use-answer.ts'
import { findingsOfEdge } from '../fleet/findings.ts'
import { alertLines, alertsIn, mutedLines } from '../fleet/open-alerts.ts'
import { uncoveredFindings } from '../fleet/uncovered.ts'
import { Note } from '../ui/note.tsx'
import { OpenAlerts, useOpenAlerts } from './overview-alerts.tsx'

/** Charts and actions stay in reach below. */
const shownAtFirst = 5

export function EdgeFindings({ edge }: { edge: EdgeView }) {
  const [isWhole, setWhole] = useState(false)
  const alerts = useOpenAlerts(edge.id)
  const all = alerts?.alerts ?? []
  const muted = mutedLines(all)
  const lines = [...alertLines(all), ...muted]
  const silences = useSilences(alertsIn(muted).some(({ silencedBy }) => silencedBy !== null))
  const found = uncoveredFindings(findingsOfEdge(edge, new Date()), all, new Date())
  const shown = isWhole ? found : found.slice(0, shownAtFirst)
  return (
    <>
      <OpenAlerts
        list={alerts && { ...alerts, problems: [] }}
        lines={lines}
        href={`/alerts?edge=${encodeURIComponent(edge.id)}`}
        silences={silences}
      />
      {shown.map(({ tone, kind, text }) => (
        <Note key={text} tone={tone}>
          {kind === 'reported' ? 'This edge reports:' : 'This edge'} {text}
        </Note>
      ))}
      {shown.length < found.length && (
        <button type="button" class="button quiet" onClick={() => setWhole(true)}>
          Show {found.length - shown.length} more
        </button>
      )}
    </>
  )
}

/** Who silenced an alert, until when, and why. Users with limits may not read silences. */
function useSilences(isNeeded: boolean) {
  const isAsked = isNeeded && mayCall('listAlertSilences')
  const answer = useAnswer(
    `silences ${isAsked}`,
    async (signal) => (isAsked ? await call('listAlertSilences', { query: { limit: 500 }, signal }) : null),
    { everyMs: 10_000 },
  )
  return answer.data?.silences ?? []
}
