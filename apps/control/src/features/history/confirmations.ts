/**
 * Tells edges which reports are stored, or refused for good, so that they need not keep them. If the confirmation does not
 * arrive, the edge sends the report again, which adds no row.
 */
import {
  encode,
  storedReportsMax,
  subjects,
  wireVersion,
  type Report,
  type StoredReports,
} from '@imapfleet/protocol'
import type { Bus } from '../../platform/nats/bus.ts'

type Confirmed = Pick<Report, 'edge' | 'region' | 'boot' | 'sequence'>

/**
 * While a backlog is stored, one message for each report would cost NATS as much as the reports themselves. An edge waits
 * much longer before it sends a report again.
 */
const gatherMs = 2_000

/** Confirmations within a short time are one message for each boot of an edge. */
export class Confirmations {
  readonly #bus: Pick<Bus, 'link'>
  readonly #waiting = new Map<string, { of: Confirmed; sequences: number[] }>()
  #timer: NodeJS.Timeout | undefined

  constructor(bus: Pick<Bus, 'link'>) {
    this.#bus = bus
  }

  add(report: Confirmed): void {
    const key = `${report.region} ${report.edge} ${report.boot}`
    const known = this.#waiting.get(key)
    if (known) known.sequences.push(report.sequence)
    else this.#waiting.set(key, { of: report, sequences: [report.sequence] })
    if (known?.sequences.length === storedReportsMax) this.send()
    else this.#timer ??= setTimeout(() => this.send(), gatherMs)
  }

  /** Sends what waits. */
  send(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    try {
      const { nats } = this.#bus.link()
      for (const { of, sequences } of waiting) {
        const stored: StoredReports = { v: wireVersion, boot: of.boot, sequences }
        nats.publish(subjects.storedReports(of), encode(stored))
      }
    } catch {
      // NATS is down, which is logged elsewhere.
    }
  }
}
