/** A field that filters what is on the page while the user types. `/` focuses it. */
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
  // The address follows while the user types. The field follows the address at other times only: what arrives late would
  // otherwise replace what was typed since.
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
