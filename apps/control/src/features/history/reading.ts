/** One report, or the requested part of it. */
import type { Histogram } from '@imapfleet/observe'

export interface Reading {
  edge: string
  region: string
  boot: string
  sequence: number
  /** Milliseconds since 1970, by the clock of the edge. */
  at: number
  startedAt: number
  /** Cumulative since the boot. */
  counters: Readonly<Record<string, number>>
  gauges: Readonly<Record<string, number>>
  histograms: Readonly<Record<string, Histogram>>
}
