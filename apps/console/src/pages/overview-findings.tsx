/** The problems of the fleet, or that there are none. */
import type { AlertView, EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { findingWords, groupFindings, type Finding, type FindingGroup } from '../fleet/findings.ts'
import { uncoveredFindings } from '../fleet/uncovered.ts'
import { PageLink } from '../router/link.tsx'
import { choose } from '../router/location.ts'

const shownAtFirst = 4

interface FindingsProps {
  found: readonly Finding[]
  /** Alerts that are shown above or muted: they are not shown again. */
  told: readonly AlertView[]
  all: readonly EdgeView[]
}

export function Findings({ found, told, all }: FindingsProps) {
  const [isWhole, setWhole] = useState(false)
  if (found.length === 0)
    return (
      <p class="all-well">
        {all.length === 1 ? 'The edge serves' : `All ${all.length} edges serve`} with the desired
        configuration.
      </p>
    )
  const groups = groupFindings(uncoveredFindings(found, told, new Date()))
  if (groups.length === 0) return null
  const shown = isWhole ? groups : groups.slice(0, shownAtFirst)
  return (
    <section class="findings card" aria-label="Problems">
      <ul>
        {shown.map((group) => (
          <Line
            key={
              group.kind === 'one'
                ? `${group.finding.edge} ${group.finding.text}`
                : `${group.tone} ${group.of}`
            }
            group={group}
          />
        ))}
      </ul>
      {shown.length < groups.length && (
        <button type="button" class="button quiet" onClick={() => setWhole(true)}>
          Show {groups.length - shown.length} more
        </button>
      )}
    </section>
  )
}

function Line({ group }: { group: FindingGroup }) {
  if (group.kind === 'one') {
    const { edge, tone, text } = group.finding
    return (
      <li class={tone}>
        <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink> {text}
      </li>
    )
  }
  const { of, tone, edges, example } = group
  return (
    <li class={tone}>
      <strong>
        {edges.length} edges {findingWords[of].several}
      </strong>
      : {edges.slice(0, 2).join(', ')} and {edges.length - 2} more
      {of === 'reported' ? `. ${edges[0]}: ${example}` : '.'}{' '}
      <button
        type="button"
        class="button quiet small"
        onClick={() => choose({ problem: of, q: '', state: '', region: '' })}
      >
        Filter
      </button>
    </li>
  )
}
