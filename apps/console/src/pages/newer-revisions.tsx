/** Revisions that were written since the draft was started, and how to continue. */
import { layerText, type RevisionView } from '@imapfleet/api'
import { call } from '../api/client.ts'
import { useAnswer } from '../api/use-answer.ts'
import { PageLink } from '../router/link.tsx'
import { Answered } from '../ui/answered.tsx'
import { Moment } from '../ui/moment.tsx'
import { Note } from '../ui/note.tsx'
import { Difference } from './difference.tsx'

interface NewerProps {
  base: number
  newest: number
  /** Keys of the draft. */
  keys: readonly string[]
  onTakeOver: () => void
}

/** More would not be read. */
const shownMax = 10

export function NewerRevisions({ base, newest, keys, onTakeOver }: NewerProps) {
  const answer = useAnswer(`revisions after ${base} to ${newest}`, async (signal) => {
    const { revisions } = await call('listRevisions', { query: { limit: shownMax }, signal })
    return revisions.filter(({ revision }) => revision > base)
  })
  return (
    <div class="newer">
      <Note tone="warn">
        The configuration has changed: your changes are based on revision {base}, but the newest is {newest}.
        Review the newer changes, then apply yours on top of them or discard yours.
      </Note>
      <Answered answer={answer}>
        {(revisions) => (
          <>
            {revisions.map((revision) => (
              <Newer key={revision.revision} revision={revision} keys={keys} />
            ))}
          </>
        )}
      </Answered>
      <div>
        <button type="button" class="button primary" onClick={onTakeOver}>
          Apply mine on top of revision {newest}
        </button>
      </div>
    </div>
  )
}

function Newer({ revision, keys }: { revision: RevisionView; keys: readonly string[] }) {
  const both = revision.changes.map(({ key }) => key).filter((key) => keys.includes(key))
  return (
    <section>
      <p>
        <PageLink href={`/config/${revision.revision}`}>Revision {revision.revision}</PageLink> of{' '}
        {layerText(revision.layer)}, by {revision.createdBy}, <Moment at={revision.createdAt} />
        {revision.note !== '' && `: ${revision.note}`}
      </p>
      <Difference changes={revision.changes} />
      {both.length > 0 && (
        <p class="small">
          Your changes also set <code>{both.join(', ')}</code>.
        </p>
      )}
    </section>
  )
}
