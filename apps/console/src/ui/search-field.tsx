/** A field that filters what is on the page while the user types. `/` focuses it. */
import { useEffect, useId, useState } from 'preact/hooks'

interface SearchFieldProps {
  label: string
  value: string
  placeholder: string
  onValue: (value: string) => void
}

export function SearchField({ label, value, placeholder, onValue }: SearchFieldProps) {
  const id = useId()
  // The address follows while typing, and the field the address.
  const [typed, setTyped] = useState(value)
  useEffect(() => setTyped((before) => (before.trim() === value ? before : value)), [value])
  return (
    <div class="field search">
      <label for={id}>{label}</label>
      <input
        id={id}
        type="search"
        class="input"
        value={typed}
        placeholder={placeholder}
        autocomplete="off"
        spellcheck={false}
        aria-keyshortcuts="/"
        data-search
        onInput={(event) => {
          setTyped(event.currentTarget.value)
          onValue(event.currentTarget.value.trim())
        }}
        onKeyDown={(event) => event.key === 'Escape' && event.currentTarget.blur()}
      />
    </div>
  )
}
