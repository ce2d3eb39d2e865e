/** Formats numbers: few digits, and the same number of digits for the same kind. A dash for an unknown value. */
import { atFirstUse } from './at-first-use.ts'

/** `1,204`. Without `Intl`: its first formatter takes a browser longer than most of our pages. */
export const wholeOf = (value: number): string => value.toFixed(0).replace(/\B(?=(\d{3})+$)/g, ',')

export const none = '–'
/** Instead of a figure that has not arrived yet. A dash would say that there is none. */
export const loading = '…'

export const countOf = (value: number | null | undefined): string =>
  value === null || value === undefined ? none : wholeOf(value)

const compact = atFirstUse(
  () => new Intl.NumberFormat('en-US', { notation: 'compact', maximumFractionDigits: 1 }),
)

/** A count where there is little room: `15,360`, `2.5M`. */
export const shortCountOf = (value: number): string =>
  value < 100_000 ? countOf(value) : compact().format(value)

/** Per second: `0.04`, `3.2`, `1,204`. */
export function rateOf(value: number | null | undefined): string {
  if (value === null || value === undefined) return none
  if (value === 0) return '0'
  if (value < 1) return value.toFixed(2)
  return value < 100 ? value.toFixed(1) : wholeOf(value)
}

/** A share of 1: `98.4 %`. Whole only if exact. */
export function shareOf(part: number | null | undefined, all: number | null | undefined): string {
  if (part === null || part === undefined || all === null || all === undefined || all === 0) return none
  const percent = (part / all) * 100
  if (percent === 0 || percent === 100) return `${percent} %`
  return `${Math.min(99.9, Math.max(0.1, percent)).toFixed(1)} %`
}

/** `1 client`, `3 clients`. */
export const amountOf = (amount: number | null, noun: string): string => {
  // An average of 1.2 is shown as 1.
  const count = countOf(amount)
  return `${count} ${noun}${count === '1' ? '' : 's'}`
}
