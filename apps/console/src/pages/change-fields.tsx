/** One key of a draft with its new value and its description. */
import type { ConfigKey } from '@imapfleet/api'
import { useLayoutEffect, useRef } from 'preact/hooks'
import { lacksName, type DraftChange } from '../fleet/draft.ts'
import { Badge } from '../ui/badge.tsx'
import { Field } from '../ui/field.tsx'
import { Select } from '../ui/select.tsx'

interface ChangeProps {
  change: DraftChange
  known: ConfigKey | undefined
  /** The mistake that control reports. */
  wrong: string | undefined
  /** Undefined: the change is discarded. */
  onChange: (change: DraftChange | undefined) => void
}

export function ChangeFields({ change, known, wrong, onChange }: ChangeProps) {
  const { key, text } = change
  const fields = useRef<HTMLDivElement>(null)
  useLayoutEffect(() => {
    // A button elsewhere on the page added this key, so it gets the focus.
    if (!(document.activeElement instanceof HTMLButtonElement)) return
    const inputs = [...(fields.current?.querySelectorAll<HTMLElement>('.input') ?? [])]
    ;(key === '' ? inputs[0] : inputs.at(-1))?.focus()
  }, [])
  return (
    <div class="config-change filters" ref={fields}>
      <Field
        label="Key"
        value={key}
        list="config-keys"
        autocomplete="off"
        onValue={(value) => onChange({ ...change, key: value })}
        placeholder="pool.idleTimeoutMs"
        hint={known && <Help known={known} />}
        wrong={
          lacksName(key.trim())
            ? 'Replace NAME with a name of your choice, such as upstreams.main.port.'
            : undefined
        }
      />
      {text === undefined ? (
        <p class="field soft">is removed from this layer</p>
      ) : (
        <Value {...{ known, wrong, text }} onText={(value) => onChange({ key, text: value })} />
      )}
      <button
        type="button"
        class="button quiet"
        aria-label={`Do not change ${key || 'this key'}`}
        onClick={() => onChange(undefined)}
      >
        ✕
      </button>
    </div>
  )
}

const Help = ({ known: { help, reload } }: { known: ConfigKey }) => (
  <>
    {help} {reload === 'restart' && <Badge tone="warn">takes effect after a restart</Badge>}
  </>
)

interface ValueProps {
  known: ConfigKey | undefined
  wrong: string | undefined
  text: string
  onText: (text: string) => void
}

function Value({ known, wrong, text, onText }: ValueProps) {
  const preset = known?.preset === undefined ? '' : `; ${known.preset} if not set`
  if (known?.choices && (text === '' || known.choices.includes(text)))
    return (
      <Select
        label="Value"
        options={[
          ...(text === '' ? [['', '…'] as const] : []),
          ...known.choices.map((each) => [each, each] as const),
        ]}
        chosen={text}
        onChoice={onText}
        hint={preset.slice(2)}
      />
    )
  return (
    <Field
      label="Value"
      type={known?.secret ? 'password' : 'text'}
      autocomplete="off"
      value={text}
      onValue={onText}
      hint={known && (known.secret ? 'A secret: it is not shown again.' : `${known.values}${preset}`)}
      wrong={wrong}
    />
  )
}
