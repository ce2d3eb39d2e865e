/** A labelled text input with its error. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface FieldProps {
  label: string
  value: string
  onValue: (value: string) => void
  hint?: ComponentChildren | undefined
  wrong?: string | undefined
  /** The id of a `<datalist>` with suggestions. */
  list?: string
  type?: 'text' | 'password' | 'number'
  placeholder?: string
  autocomplete?: 'off' | 'current-password'
  autofocus?: boolean
  /** `/` focuses it. */
  isSearch?: boolean
}

export function Field({ label, value, onValue, hint, wrong, type = 'text', isSearch, ...rest }: FieldProps) {
  const id = useId()
  // The types of Preact distinguish each kind of input, and allow no union of them.
  const kind = { type, ...rest } as { type: 'text' }
  const remark = wrong ?? hint
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <input
        {...kind}
        id={id}
        spellcheck={false}
        class="input"
        value={value}
        aria-invalid={wrong !== undefined}
        {...(isSearch === true && { 'data-search': '', 'aria-keyshortcuts': '/' })}
        {...(remark === undefined ? {} : { 'aria-describedby': `${id}-remark` })}
        onInput={(event) => onValue(event.currentTarget.value)}
      />
      {remark !== undefined && (
        <span id={`${id}-remark`} class={wrong === undefined ? 'hint' : 'wrong'}>
          {remark}
        </span>
      )}
    </div>
  )
}
