/** Settings and context of answer-ahead for one session. */
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import type { Knowledge } from '../ahead/knowledge.ts'

/** How a session asks ahead, as its server is configured. */
export interface AheadSetup {
  readonly upstream: string
  /** `learn`: nothing is asked. */
  readonly mode: 'learn' | 'on'
  /** No questions go to a server with a shorter round trip. */
  readonly roundTripMinMs: number
  readonly knowledge: Knowledge
  /** The identity of the session. Facts are kept for each identity. */
  readonly identity: string
  /** Parameters of the page, from the ID of the client program. */
  readonly hints?: ReadonlyMap<string, string>
}

export interface AheadContext {
  readonly metrics: Pick<EdgeMetrics, 'counters'>
  readonly log: Pick<Log, 'warn'>
  /** Coarse milliseconds. */
  readonly clock: { now(): number }
}
