/** The plan of a revision: its changes, its edges in order, and keys that need a restart. */
import type { RevisionStatus } from '@imapfleet/api'
import { amountOf } from '../format/number.ts'
import { Note } from '../ui/note.tsx'
import { Difference } from './difference.tsx'

export function Plan({ status: { revision, edges, waves } }: { status: RevisionStatus }) {
  const late = revision.changes.filter(({ reload }) => reload === 'restart').map(({ key }) => key)
  if (revision.changes.length === 0)
    return <p class="soft">The layer already has these values: there is nothing to write.</p>
  return (
    <>
      <Difference changes={revision.changes} />
      {late.length > 0 && <Note tone="warn">{late.join(', ')}: takes effect when each edge restarts.</Note>}
      {waves && waves.length > 0 ? (
        <ol class="planned-waves">
          {waves.map(({ name, edges: ids }) => (
            <li key={name}>
              <strong>{name}</strong>: {named(ids)}
            </li>
          ))}
        </ol>
      ) : (
        <p class="small">
          {edges.length === 0
            ? 'No edge is in this layer yet; edges that join later will apply it.'
            : `It goes to ${named(edges.map(({ id }) => id))} immediately.`}
        </p>
      )}
    </>
  )
}

const namedMax = 8

function named(ids: readonly string[]): string {
  const rest = ids.length - namedMax
  return ids.slice(0, namedMax).join(', ') + (rest > 0 ? ` and ${amountOf(rest, 'more edge')}` : '')
}
