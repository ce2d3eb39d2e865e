/** The draft of a layer: typed, checked by control, shown as a difference, and then written. */
import { layerText, type ConfigKey, type LayerName, type RevisionStatus } from '@imapfleet/api'
import { useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import type { Check } from '../api/use-check.ts'
import { keysToType, manualOf, type DraftChange } from '../fleet/draft.ts'
import { isLostRace, useDraftCheck } from '../fleet/draft-check.ts'
import { dropDraft, keepDraft, type Draft } from '../fleet/drafts.ts'
import { Card } from '../ui/card.tsx'
import { Note } from '../ui/note.tsx'
import { ChangeFields } from './change-fields.tsx'
import { Difference } from './difference.tsx'
import { NewerRevisions } from './newer-revisions.tsx'
import { WriteRevision } from './write-revision.tsx'

interface DraftProps {
  layer: LayerName
  draft: Draft
  /** The newest revision. */
  newest: number
  /** Why the layer cannot be written now. */
  locked: string | undefined
  manual: readonly ConfigKey[]
  /** Names of upstreams of the edges. */
  upstreams: readonly string[]
  /** Another change was written: its revision must be loaded. */
  onNewer: () => void
}

export function ConfigDraft(props: DraftProps) {
  const { layer, draft, newest, locked, manual, upstreams, onNewer } = props
  const { base, changes } = draft
  const [isWriting, setWriting] = useState(false)
  const { request, isEmpty, isLost, isConflict, check, wrong } = useDraftCheck(layer, draft, newest, onNewer)

  const keep = (next: readonly DraftChange[]) => keepDraft(layer, { base, changes: next })
  const difference = check.data?.revision.changes ?? []
  return (
    <Card
      title="Your changes"
      about={`For ${layerText(layer)}, based on revision ${base}. Nothing is written yet.`}
      actions={
        <>
          <button type="button" class="button" onClick={() => keep([...changes, { key: '', text: '' }])}>
            Another key
          </button>
          <button type="button" class="button quiet" onClick={() => dropDraft(layer)}>
            Discard
          </button>
          <button
            type="button"
            class="button primary"
            disabled={difference.length === 0 || locked !== undefined}
            title={locked}
            onClick={() => setWriting(true)}
          >
            Write …
          </button>
        </>
      }
    >
      <KeyList manual={manual} upstreams={upstreams} />
      {changes.map((change, index) => (
        <ChangeFields
          key={index}
          change={change}
          known={manualOf(change.key, manual)}
          wrong={wrong(change.key.trim())}
          onChange={(next) =>
            keep(changes.flatMap((each, at) => (at === index ? (next ? [next] : []) : [each])))
          }
        />
      ))}
      <div class="card-body" role="status">
        {locked !== undefined && <Note tone="warn">{locked}</Note>}
        {isLost ? (
          <NewerRevisions
            base={base}
            newest={newest}
            keys={changes.map(({ key }) => key.trim())}
            onTakeOver={() => keepDraft(layer, { base: newest, changes })}
          />
        ) : (
          !isConflict && <Verdict isEmpty={isEmpty} check={check} />
        )}
      </div>
      {isWriting && (
        <WriteRevision
          title={`Write to ${layerText(layer)}`}
          base={base}
          make={(how, signal) =>
            call('writeRevision', { body: { layer, base, ...request, ...how }, signal }).catch(
              (error: unknown) => {
                if (isLostRace(error)) onNewer()
                throw error
              },
            )
          }
          onWritten={() => dropDraft(layer)}
          onClose={() => setWriting(false)}
        />
      )}
    </Card>
  )
}

/** The keys that can be typed. */
const KeyList = ({ manual, upstreams }: { manual: readonly ConfigKey[]; upstreams: readonly string[] }) => (
  <datalist id="config-keys">
    {keysToType(manual, upstreams).map((key) => (
      <option key={key} value={key}>
        {manualOf(key, manual)?.help}
      </option>
    ))}
  </datalist>
)

/** The result of control's check. */
function Verdict({ isEmpty, check }: { isEmpty: boolean; check: Check<RevisionStatus> }) {
  if (isEmpty) return <p class="soft">Enter a key and its value.</p>
  if (check.problem) return <Note tone="bad">{sentenceOf(check.problem)}</Note>
  if (!check.data) return <p class="soft">Checking …</p>
  const { changes } = check.data.revision
  if (changes.length === 0)
    return <p class="soft">This layer already has these values: nothing would change.</p>
  return <Difference changes={changes} />
}
