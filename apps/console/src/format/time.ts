/** Formats times: in the chosen time zone, with seconds, and with the date if it is not today. */
import { signal } from '@preact/signals'

/** Undefined: the time zone of the browser. */
export const timeZone = signal<'UTC' | undefined>(undefined)

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const

/** Without `Intl`: its first formatter takes a browser longer than most of our pages. */
function partsOf(at: Date) {
  const isUtc = timeZone.value === 'UTC'
  const two = (part: number) => String(part).padStart(2, '0')
  const [hours, minutes, seconds] = isUtc
    ? [at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds()]
    : [at.getHours(), at.getMinutes(), at.getSeconds()]
  const [date, month, year] = isUtc
    ? [at.getUTCDate(), at.getUTCMonth(), at.getUTCFullYear()]
    : [at.getDate(), at.getMonth(), at.getFullYear()]
  const day = `${two(date)} ${months[month]}`
  const minute = `${two(hours)}:${two(minutes)}`
  return { clock: `${minute}:${two(seconds)}`, minute, day, hour: `${day}, ${two(hours)}`, year }
}

export const clockOf = (at: Date): string => partsOf(at).clock

export function momentOf(at: Date, now: Date): string {
  const [{ clock, day, year }, today] = [partsOf(at), partsOf(now)]
  if (year !== today.year) return `${day} ${year} ${clock}`
  return day === today.day ? clock : `${day} ${clock}`
}

/** With the date. */
export function instantOf(at: Date): string {
  const { clock, day, year } = partsOf(at)
  return `${day} ${year} ${clock}`
}

/** Labels of an axis: times of day in ranges up to a day and a half, dates in longer ones; seconds if they differ. */
export function axisTimesOf(seconds: readonly number[]): string[] {
  const [first = 0, second = first] = seconds
  // A single label cannot differ from a neighbour by seconds only.
  const isMinute = seconds.length < 2 && first % 60 === 0
  const span = (seconds.at(-1) ?? first) - first
  const ofDates = second - first < 86_400 ? 'hour' : 'day'
  const ofTimes = second - first < 60 && !isMinute ? 'clock' : 'minute'
  const kind = span > 36 * 3600 ? ofDates : ofTimes
  return seconds.map((each) => partsOf(new Date(each * 1000))[kind])
}

/** `40 s`, `12 min`, `3 h 10 min`, `5 d 2 h`. */
export function durationOf(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const hours = Math.floor(minutes / 60)
  if (hours < 24) return withRest(hours, 'h', minutes % 60, 'min')
  return withRest(Math.floor(hours / 24), 'd', hours % 24, 'h')
}

const withRest = (amount: number, unit: string, rest: number, restUnit: string) =>
  rest === 0 ? `${amount} ${unit}` : `${amount} ${unit} ${rest} ${restUnit}`
