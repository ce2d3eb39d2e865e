/** A layer as YAML: the text becomes the draft, and the help shows the key at the cursor. */
import type { ConfigKey, LayerName } from '@imapfleet/api'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { call, sentenceOf } from '../api/client.ts'
import { useCheck } from '../api/use-check.ts'
import { lacksName, manualOf } from '../fleet/draft.ts'
import { draftOf, keepDraft } from '../fleet/drafts.ts'
import { keyAt, keysOfYaml } from '../fleet/yaml-cursor.ts'
import { changesFrom, withKey, yamlOf } from '../fleet/yaml-layer.ts'
import { Badge } from '../ui/badge.tsx'
import { Note } from '../ui/note.tsx'

interface ConfigYamlProps {
  layer: LayerName
  /** The keys of the layer itself. */
  values: Readonly<Record<string, unknown>>
  revision: number
  /** By a rollout. The text is shown, but cannot be changed. */
  isLocked: boolean
  manual: readonly ConfigKey[]
}

export function ConfigYaml({ layer, values, revision, isLocked, manual }: ConfigYamlProps) {
  const draft = draftOf(layer)
  const [text, setText] = useState(() => yamlOf(values, draft?.changes))
  const [cursor, setCursor] = useState('')
  /** The text differs from the draft: control has not read it, or found a mistake. */
  const [isTyped, setTyped] = useState(false)
  // Changes that were made elsewhere, by the fields or by another operator, replace the text.
  const now = JSON.stringify([draft?.changes ?? [], values])
  const [seen, setSeen] = useState(now)
  if (now !== seen) {
    setSeen(now)
    setText(yamlOf(values, draft?.changes))
    setTyped(false)
  }
  const read = useCheck(isTyped ? text : undefined, (signal) =>
    call('parseLayerText', { body: { text }, signal }),
  )
  useEffect(() => {
    if (read.data?.mistake !== null) return
    const changes = changesFrom(read.data.set, values)
    setSeen(JSON.stringify([changes, values]))
    setTyped(false)
    keepDraft(layer, { base: draft?.base ?? revision, changes })
  }, [read.data])
  const area = useRef<HTMLTextAreaElement>(null)
  const id = useId()

  const type = (next: string) => {
    setText(next)
    setTyped(true)
  }
  const look = () => area.current && setCursor(keyAt(area.current.value, area.current.selectionStart))
  const mistake = read.data?.mistake
  return (
    <div class="config-yaml">
      <div>
        <textarea
          ref={area}
          class="input"
          aria-label="Layer as YAML"
          aria-describedby={id}
          aria-invalid={Boolean(mistake)}
          readOnly={isLocked}
          spellcheck={false}
          autocomplete="off"
          rows={Math.min(40, Math.max(12, text.split('\n').length + 1))}
          value={text}
          onInput={(event) => {
            type(event.currentTarget.value)
            look()
          }}
          onKeyUp={look}
          onClick={look}
          onFocus={look}
        />
        <div role="status">
          {mistake && (
            <Note tone="bad">
              {mistake.line !== null && `Line ${mistake.line}: `}
              {mistake.message}
            </Note>
          )}
          {isTyped && read.problem && <Note tone="bad">{sentenceOf(read.problem)}</Note>}
        </div>
      </div>
      <div id={id} class="yaml-help">
        <Help
          cursor={cursor}
          manual={manual}
          isLocked={isLocked}
          present={new Set(keysOfYaml(text))}
          onAdd={(key, value) => type(withKey(text, key, value))}
        />
      </div>
    </div>
  )
}

/** More would hide the description. */
const offeredMax = 12

interface HelpProps {
  cursor: string
  manual: readonly ConfigKey[]
  isLocked: boolean
  /** Keys that are in the text. */
  present: ReadonlySet<string>
  onAdd: (key: string, value: string) => void
}

function Help({ cursor, manual, isLocked, present, onAdd }: HelpProps) {
  const known = manualOf(cursor, manual)
  const section = known ? cursor.split('.').slice(0, -1).join('.') : cursor
  const others = keysOfSection(section, manual).filter((key) => !present.has(key))
  return (
    <>
      {known ? (
        <>
          <h3>
            <code>{cursor}</code>
          </h3>
          <p>
            {known.help}{' '}
            {known.reload === 'restart' && <Badge tone="warn">takes effect after a restart</Badge>}
          </p>
          <p class="soft">
            {known.secret
              ? 'A secret: (redacted) stands for the present one.'
              : `${known.values}${known.preset === undefined ? '' : `; ${known.preset} if not set`}`}
          </p>
        </>
      ) : (
        <p class="soft">Move the cursor to a key to see what it does.</p>
      )}
      {others.length > 0 && (
        <>
          <h3>{section === '' ? 'More keys' : `More keys of ${section}`}</h3>
          <ul class="row">
            {others.slice(0, offeredMax).map((key) => (
              <li key={key}>
                <button
                  type="button"
                  class="button small"
                  disabled={isLocked}
                  title={manualOf(key, manual)?.help}
                  onClick={() => onAdd(key, manualOf(key, manual)?.preset ?? '')}
                >
                  {section === '' ? key : key.slice(section.length + 1)}
                </button>
              </li>
            ))}
          </ul>
          {others.length > offeredMax && (
            <p class="soft small">and {others.length - offeredMax} more: see the effective view.</p>
          )}
        </>
      )}
    </>
  )
}

/** The keys below a section, with its own names instead of NAME. */
function keysOfSection(section: string, manual: readonly ConfigKey[]): string[] {
  if (section === '') return manual.map(({ key }) => key).filter((key) => !lacksName(key))
  const wanted = section.split('.')
  return manual.flatMap(({ key }) => {
    const parts = key.split('.')
    const isBelow =
      parts.length > wanted.length && wanted.every((part, at) => parts[at] === part || parts[at] === 'NAME')
    const named = [...wanted, ...parts.slice(wanted.length)].join('.')
    return isBelow && !lacksName(named) ? [named] : []
  })
}
