/** Formats numbers. */

/** `1,234`, `0.25`, `12.3`; `-` for a missing number. */
export function formatCount(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : 1
  return value.toLocaleString('en-US', { maximumFractionDigits: digits })
}

/** `93.4 %`; `-` for a share of nothing. */
export function share(part: number | null | undefined, whole: number | null | undefined): string {
  if (!whole || part === null || part === undefined) return '-'
  return `${((100 * part) / whole).toFixed(1)} %`
}

/** Seconds as `0.24 ms`, `43 ms`, `1.2 s`. */
export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  return value < 1 ? `${formatCount(round(value * 1000))} ms` : `${formatCount(round(value))} s`
}

/** `12.3 MiB`. */
export function bytes(value: number | null | undefined): string {
  if (value === null || value === undefined) return '-'
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let amount = value
  let unit = 0
  while (amount >= 1024 && unit < units.length - 1) {
    amount /= 1024
    unit += 1
  }
  return `${formatCount(round(amount))} ${units[unit]}`
}

/** Three significant digits. */
const round = (value: number) => Number(value.toPrecision(3))
