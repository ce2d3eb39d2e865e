/** Formats times: in the chosen time zone, with seconds, and with the date if it is not today. */
import { signal } from '@preact/signals'

/** Undefined: the time zone of the browser. */
export const timeZone = signal<'UTC' | undefined>(undefined)

const formatsOf = (zone: 'UTC' | undefined) => {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Intl.DateTimeFormat('en-GB', { ...options, timeZone: zone })
  const day = { day: '2-digit', month: 'short' } as const
  const minute = { hour: '2-digit', minute: '2-digit' } as const
  return {
    clock: format({ ...minute, second: '2-digit' }),
    minute: format(minute),
    day: format(day),
    hour: format({ ...day, hour: '2-digit' }),
    year: format({ ...day, year: 'numeric' }),
  }
}
const formats = { local: formatsOf(undefined), UTC: formatsOf('UTC') }
const current = () => formats[timeZone.value ?? 'local']

export const clockOf = (at: Date): string => current().clock.format(at)

export function momentOf(at: Date, now: Date): string {
  const { clock, day, year } = current()
  if (year.format(at) === year.format(now)) return clock.format(at)
  const isThisYear = year.format(at).slice(-4) === year.format(now).slice(-4)
  return `${(isThisYear ? day : year).format(at)} ${clock.format(at)}`
}

/** With the date. */
export const instantOf = (at: Date): string => `${current().year.format(at)} ${current().clock.format(at)}`

/** Labels of an axis: times of day in ranges up to a day and a half, dates in longer ones; seconds if they differ. */
export function axisTimesOf(seconds: readonly number[]): string[] {
  const { clock, minute, day, hour } = current()
  const [first = 0, second = first] = seconds
  const span = (seconds.at(-1) ?? first) - first
  const ofDates = second - first < 86_400 ? hour : day
  const ofTimes = second - first < 60 ? clock : minute
  const format = span > 36 * 3600 ? ofDates : ofTimes
  return seconds.map((each) => format.format(each * 1000))
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
