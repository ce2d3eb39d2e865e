/** Parses and prints times and durations. */

const unitMs = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const
const pieces = /(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g

/** `90s`, `10m`, `1h30m`, `2d` → milliseconds; undefined if it is not a duration. */
export function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h|d|w))+$/.test(text)) return undefined
  let total = 0
  for (const [, amount, unit] of text.matchAll(pieces))
    total += Number(amount) * (unit === 'ms' ? 1 : unitMs[unit as keyof typeof unitMs])
  return Number.isSafeInteger(Math.round(total)) ? Math.round(total) : undefined
}

/** `now`, `-1h`, or an ISO date and time: a moment in the form of the API. */
export function isMoment(text: string): boolean {
  if (text === 'now') return true
  if (text.startsWith('-')) return parseDuration(text.slice(1)) !== undefined
  return /^\d{4}-\d{2}-\d{2}(T[\d:.]+(Z|[+-]\d{2}:\d{2}))?$/.test(text) && !Number.isNaN(Date.parse(text))
}

/** The two largest units: `45 s`, `3 min 20 s`, `2 h 5 min`, `3 d 4 h`. */
export function duration(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000))
  const parts: [number, string][] = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [seconds % 60, 's'],
  ]
  const first = parts.findIndex(([amount]) => amount > 0)
  if (first < 0) return '0 s'
  return parts
    .slice(first, first + 2)
    .filter(([amount]) => amount > 0)
    .map(([amount, unit]) => `${amount} ${unit}`)
    .join(' ')
}

/** Time before `now`. Clocks can differ slightly, so a time in the future counts as now. */
export function ago(at: string | number, now: number): string {
  const passed = now - new Date(at).getTime()
  return passed < 1000 ? 'now' : `${duration(passed)} ago`
}

const pad = (value: number, digits = 2) => String(value).padStart(digits, '0')

/** `12:03:09`, in the local time zone. */
export function clock(at: string | number): string {
  const date = new Date(at)
  return `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`
}

/** `12:03:09.120`. */
export const clockMs = (at: string | number) => `${clock(at)}.${pad(new Date(at).getMilliseconds(), 3)}`

/** `2026-03-01`. */
export function day(at: string | number): string {
  const date = new Date(at)
  return `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`
}

/** `2026-03-01 12:03:09`. */
export const dayAndClock = (at: string | number) => `${day(at)} ${clock(at)}`
