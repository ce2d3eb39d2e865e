/** A field that filters the page while the user types. `/` focuses it. */
import { useEffect, useId, useRef, useState } from 'preact/hooks'

interface SearchFieldProps {
  label: string
  value: string
  placeholder: string
  onValue: (value: string) => void
}

export function SearchField({ label, value, placeholder, onValue }: SearchFieldProps) {
  const id = useId()
  const field = useRef<HTMLInputElement>(null)
  // While the user types, the address follows the field. Otherwise the field follows the address: a late change of the
  // address would replace newer input.
  const [typed, setTyped] = useState(value)
  useEffect(() => {
    if (document.activeElement !== field.current) setTyped(value)
  }, [value])
  return (
    <div class="field search">
      <label for={id}>{label}</label>
      <input
        id={id}
        ref={field}
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
