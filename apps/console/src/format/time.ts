/** Formats times: in the time zone of the browser, with seconds, and with the date if it is not today. */

const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' })
const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short' })
const year = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: 'short', year: 'numeric' })

export const clockOf = (at: Date): string => clock.format(at)

export function momentOf(at: Date, now: Date): string {
  if (at.toDateString() === now.toDateString()) return clock.format(at)
  return `${(at.getFullYear() === now.getFullYear() ? day : year).format(at)} ${clock.format(at)}`
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
