/** The times since which figures are kept: whole days, so that retention can drop partitions. */
import { dayMs, startOf } from './window.ts'

/** How long figures are kept, in milliseconds. */
export interface Retention {
  /** Reports, and the rollups of regions per 10 s. */
  reports: number
  minutes: number
  hours: number
}

export function keptSince(kept: Retention, now: number): Retention {
  const since = (age: number) => startOf(now - age, dayMs)
  return { reports: since(kept.reports), minutes: since(kept.minutes), hours: since(kept.hours) }
}
