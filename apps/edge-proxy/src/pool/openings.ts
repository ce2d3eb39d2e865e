/** Connections that are being opened: dialed, logged in and timed. What is purged meanwhile counts for them too. */
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import { open } from '../server/open.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Ask, Refused } from './lease.ts'
import { newcomer } from './newcomer.ts'
import type { States } from './states.ts'
import { unopened } from './unopened.ts'

export type Meant = (upstream: ServerConnection) => boolean

interface Context {
  readonly metrics: EdgeMetrics
  readonly log: Log
  readonly now: () => number
}

export class Openings {
  readonly #states: States
  readonly #context: Context
  /** What was purged since each of them began. */
  readonly #purged = new Set<Meant[]>()

  constructor(states: States, context: Context) {
    this.#states = states
    this.#context = context
  }

  /** @param take is given the connection at the very moment when it is open, so that no purge comes between */
  async open<Taken>(
    ask: Ask,
    take: (upstream: ServerConnection, untagged: readonly string[]) => Taken,
  ): Promise<Taken | Refused> {
    const { metrics, now } = this.#context
    const purged: Meant[] = []
    this.#purged.add(purged)
    this.#states.dialBegins()
    try {
      const opened = await metrics.histograms.upstream_dial_seconds.measure(
        open(ask.server, ask.credentials, ask.asker),
      )
      if (opened.kind !== 'opened') return unopened(opened, ask.server, this.#context)
      const upstream = newcomer(opened, ask, now())
      if (purged.some((isMeant) => isMeant(upstream))) upstream.expiresAt = 0
      return take(upstream, opened.untagged)
    } finally {
      this.#states.dialEnds()
      this.#purged.delete(purged)
    }
  }

  /** Those of them that are meant will not be kept. */
  purge(isMeant: Meant): void {
    for (const purged of this.#purged) purged.push(isMeant)
  }
}
