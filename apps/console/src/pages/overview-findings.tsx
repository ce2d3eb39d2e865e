/** The problems of the fleet, or that there are none. */
import type { EdgeView } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import type { Finding } from '../fleet/findings.ts'
import { PageLink } from '../router/link.tsx'

const shownAtFirst = 12

export function Findings({ found, all }: { found: readonly Finding[]; all: readonly EdgeView[] }) {
  const [isWhole, setWhole] = useState(false)
  if (found.length === 0)
    return (
      <p class="all-well">
        {all.length === 1 ? 'The edge serves' : `All ${all.length} edges serve`} with the desired
        configuration.
      </p>
    )
  const shown = isWhole ? found : found.slice(0, shownAtFirst)
  return (
    <section class="findings card" aria-label="Problems">
      <ul>
        {shown.map(({ edge, tone, text }) => (
          <li key={`${edge} ${text}`} class={tone}>
            <PageLink href={`/edges/${encodeURIComponent(edge)}`}>{edge}</PageLink> {text}
          </li>
        ))}
      </ul>
      {shown.length < found.length && (
        <button type="button" class="button quiet" onClick={() => setWhole(true)}>
          Show {found.length - shown.length} more
        </button>
      )}
    </section>
  )
}
