/** What answer-ahead of one session is made with. */
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import type { Knowledge } from '../ahead/knowledge.ts'

/** How a session asks ahead, as its server is configured. */
export interface AheadSetup {
  readonly upstream: string
  /** `learn`: nothing is asked. */
  readonly mode: 'learn' | 'on'
  /** Nothing is asked of a server that answers sooner than this. */
  readonly roundTripMinMs: number
  readonly knowledge: Knowledge
  /** The identity whose facts it uses. */
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
