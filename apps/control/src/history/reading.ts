/** One report, or as much of it as is asked for. */
import type { Histogram } from '@imapfleet/observe'

export interface Reading {
  edge: string
  region: string
  boot: string
  sequence: number
  /** Milliseconds since 1970, by the edge's clock. */
  at: number
  startedAt: number
  /** Cumulative since the boot. */
  counters: Readonly<Record<string, number>>
  gauges: Readonly<Record<string, number>>
  histograms: Readonly<Record<string, Histogram>>
}
