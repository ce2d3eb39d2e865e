/** A date and time in the time zone of the console. */
import { timeZone } from '../format/time.ts'

interface TimeFieldProps {
  label: string
  /** Milliseconds since 1970; undefined: empty. */
  at: number | undefined
  /** Undefined: the field was emptied. */
  onTime: (at: number | undefined) => void
}

export function TimeField({ label, at, onTime }: TimeFieldProps) {
  const isUtc = timeZone.value === 'UTC'
  const offsetMs = (ms: number) => (isUtc ? 0 : new Date(ms).getTimezoneOffset() * 60_000)
  const text = at === undefined ? '' : new Date(at - offsetMs(at)).toISOString().slice(0, 19)
  return (
    <div class="field time">
      <label>
        {label}
        <input
          class="input"
          type="datetime-local"
          step="1"
          value={text}
          onChange={(event) => {
            const typed = Date.parse(`${event.currentTarget.value}${isUtc ? 'Z' : ''}`)
            onTime(Number.isNaN(typed) ? undefined : typed)
          }}
        />
      </label>
    </div>
  )
}
