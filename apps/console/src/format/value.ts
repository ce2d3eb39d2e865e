/** Formats a value with its unit, in few digits: `12.3`, `1.2 ms`, `3.4 MiB`. */
import { none, wholeOf } from './number.ts'

export type Unit = 'seconds' | 'bytes' | 'number' | 'percent'

export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined) return none
  if (unit === 'seconds') return value < 1 ? `${digits(value * 1000)} ms` : `${digits(value)} s`
  if (unit === 'bytes') return bytes(value)
  if (unit === 'percent') return `${digits(value)} %`
  return digits(value)
}

const byteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const

function bytes(value: number): string {
  let amount = value
  let unit = 0
  for (; Math.abs(amount) >= 1024 && unit < byteUnits.length - 1; unit++) amount /= 1024
  return `${digits(amount)} ${byteUnits[unit]}`
}

/** Three significant digits. */
function digits(value: number): string {
  if (Math.abs(value) >= 100) return wholeOf(value)
  return String(Number(value.toPrecision(3)))
}
