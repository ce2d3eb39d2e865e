/** A labelled drop-down list. */
import type { ComponentChildren } from 'preact'
import { useId } from 'preact/hooks'

interface SelectProps {
  label: string
  /** Value, and its text. */
  options: readonly (readonly [value: string, words: string])[]
  chosen: string
  onChoice: (value: string) => void
  hint?: ComponentChildren
}

export function Select({ label, options, chosen, onChoice, hint }: SelectProps) {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select
        id={id}
        class="input"
        value={chosen}
        {...(hint === undefined ? {} : { 'aria-describedby': `${id}-hint` })}
        onChange={(event) => onChoice(event.currentTarget.value)}
      >
        {options.map(([value, words]) => (
          <option key={value} value={value}>
            {words}
          </option>
        ))}
      </select>
      {hint !== undefined && (
        <span id={`${id}-hint`} class="hint">
          {hint}
        </span>
      )}
    </div>
  )
}
