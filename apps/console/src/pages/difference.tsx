/** The changes of a revision: before and after. */
import type { RevisionView } from '@imapfleet/api'
import { textOf } from '../fleet/draft.ts'
import { Badge } from '../ui/badge.tsx'

export const Difference = ({ changes }: { changes: RevisionView['changes'] }) => (
  <ul class="difference" aria-label="Changes">
    {changes.map(({ key, before, after, reload }) => (
      <li key={key}>
        <code>{key}</code> {reload === 'restart' && <Badge tone="warn">after a restart</Badge>}
        {before !== null && (
          <div class="gone">
            <span class="unseen">before </span>− {textOf(before)}
          </div>
        )}
        {after !== null && (
          <div class="come">
            <span class="unseen">after </span>+ {textOf(after)}
          </div>
        )}
      </li>
    ))}
  </ul>
)
