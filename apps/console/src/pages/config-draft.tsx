/** Changes that are being made: typed, checked by control as one types, seen as a difference, and then written. */
import type { ConfigKey, LayerName, RevisionStatus } from '@imapfleet/protocol'
import { useEffect, useState } from 'preact/hooks'
import { api } from '../api/api.ts'
import { Refusal, sentenceOf } from '../api/problem.ts'
import { useAnswer } from '../api/use-answer.ts'
import { requestOf, type DraftChange } from '../fleet/draft.ts'
import { layerText } from '../fleet/layer.ts'
import { Card } from '../ui/card.tsx'
import { Field } from '../ui/field.tsx'
import { Note } from '../ui/note.tsx'
import { Difference } from './difference.tsx'
import { WriteRevision } from './write-revision.tsx'

interface DraftProps {
  layer: LayerName
  revision: number
  changes: readonly DraftChange[]
  onChanges: (changes: readonly DraftChange[]) => void
  /** Somebody else was faster: what they wrote is to be loaded. */
  onNewer: () => void
}

export function ConfigDraft({ layer, revision, changes, onChanges, onNewer }: DraftProps) {
  const keys = useAnswer('config keys', async (signal) => (await api.configKeys(signal)).keys).data ?? []
  const check = useCheck(layer, revision, changes)
  const [isWriting, setWriting] = useState(false)
  const set = (index: number, change: DraftChange | undefined) =>
    onChanges(changes.flatMap((each, at) => (at === index ? (change ? [change] : []) : [each])))
  const wrong = (key: string) =>
    check.problem instanceof Refusal
      ? check.problem.details.problems?.find((problem) => problem.key === key)?.message
      : undefined
  const isLost = check.problem instanceof Refusal && check.problem.details.code === 'config_conflict'
  const difference = check.status?.revision.changes ?? []
  return (
    <Card
      title="Your changes"
      about={`To ${layerText(layer)}, on top of revision ${revision}. Nothing is written yet.`}
      actions={
        <>
          <button type="button" class="button" onClick={() => onChanges([...changes, { key: '', text: '' }])}>
            Another key
          </button>
          <button type="button" class="button quiet" onClick={() => onChanges([])}>
            Discard
          </button>
          <button
            type="button"
            class="button primary"
            disabled={difference.length === 0 || check.problem !== undefined}
            onClick={() => setWriting(true)}
          >
            Write …
          </button>
        </>
      }
    >
      <datalist id="config-keys">
        {keys.map(({ key, help }) => (
          <option key={key} value={key}>
            {help}
          </option>
        ))}
      </datalist>
      {changes.map((change, index) => (
        <ChangeFields
          key={index}
          change={change}
          known={keyFor(change.key, keys)}
          wrong={wrong(change.key.trim())}
          onChange={(next) => set(index, next)}
        />
      ))}
      <div class="card-body">
        {check.problem && (
          <Note tone="bad">
            {sentenceOf(check.problem)}
            {isLost && (
              <button type="button" class="button small" onClick={onNewer}>
                Load the newer one
              </button>
            )}
          </Note>
        )}
        {!check.problem && difference.length === 0 && <p class="soft">As it stands this changes nothing.</p>}
        {!check.problem && difference.length > 0 && <Difference changes={difference} />}
      </div>
      {isWriting && (
        <WriteRevision
          title={`Write to ${layerText(layer)}`}
          write={(how) => api.revise({ layer, base: revision, ...requestOf(changes), ...how })}
          onClose={() => setWriting(false)}
        />
      )}
    </Card>
  )
}

interface Check {
  status?: RevisionStatus
  problem?: Error
}

const pauseMs = 300

/** What control says of the changes: asked when one has stopped typing for a moment. */
function useCheck(layer: LayerName, base: number, changes: readonly DraftChange[]): Check {
  const [check, setCheck] = useState<Check>({})
  const request = JSON.stringify(requestOf(changes))
  useEffect(() => {
    const life = new AbortController()
    const ask = async () => {
      const { set = {}, unset = [] } = JSON.parse(request) as ReturnType<typeof requestOf>
      if (Object.keys(set).length + unset.length === 0) return setCheck({})
      try {
        const status = await api.revise({ layer, base, set, unset, dryRun: true }, life.signal)
        setCheck({ status })
      } catch (error) {
        if (!life.signal.aborted)
          setCheck({ problem: error instanceof Error ? error : new Error(String(error)) })
      }
    }
    const timer = setTimeout(() => void ask(), pauseMs)
    return () => {
      clearTimeout(timer)
      life.abort()
    }
  }, [request, base, layerText(layer)])
  return check
}

/** `upstreams.main.port` is described as `upstreams.NAME.port`. */
function keyFor(typed: string, keys: readonly ConfigKey[]): ConfigKey | undefined {
  const parts = typed.trim().split('.')
  return keys.find(({ key }) => {
    const pattern = key.split('.')
    return (
      pattern.length === parts.length && pattern.every((part, at) => part === 'NAME' || part === parts[at])
    )
  })
}

function ChangeFields({
  change,
  known,
  wrong,
  onChange,
}: {
  change: DraftChange
  known: ConfigKey | undefined
  wrong: string | undefined
  onChange: (change: DraftChange | undefined) => void
}) {
  const { key, text } = change
  const hint = known && `${known.values}${known.preset === undefined ? '' : `; ${known.preset} if not set`}`
  return (
    <div class="config-change filters">
      <Field
        label="Key"
        value={key}
        list="config-keys"
        onValue={(value) => onChange({ ...change, key: value })}
        placeholder="pool.idleTimeoutMs"
        hint={
          known
            ? `${known.help}${known.reload === 'restart' ? ' Takes effect at a restart.' : ''}`
            : undefined
        }
      />
      {text === undefined ? (
        <p class="field soft">is taken out of this layer</p>
      ) : (
        <Field
          label="Value"
          value={text}
          onValue={(value) => onChange({ key, text: value })}
          hint={hint}
          wrong={wrong}
        />
      )}
      <button
        type="button"
        class="button quiet"
        aria-label={`Leave ${key || 'this key'} as it is`}
        onClick={() => onChange(undefined)}
      >
        ✕
      </button>
    </div>
  )
}
