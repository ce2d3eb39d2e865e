/** What a splice is given: settings, counters, the pool's one favour, and who is told of its end. */
import type { EdgeMetrics } from '@imapfleet/observe'
import type { Verb } from '../imap/verb.ts'
import type { ServerConnection } from '../server/server-connection.ts'
import type { Ending, HandBack } from './ending.ts'
import type { AnswerOptions } from './policy.ts'

/** Both ways of a session's bytes, for a trace; no credentials are among them. */
export interface Tap {
  fromClient(bytes: Buffer): void
  fromServer(bytes: Buffer): void
}

/** What a splice needs from the edge. */
export interface SpliceContext {
  /** Read at each use, so that a reload is felt by running sessions. */
  options(): AnswerOptions & { lineBytesMax: number; selectCacheWindowMs: number; resetTimeoutMs: number }
  /** Coarse milliseconds; for ages and idle times only. */
  readonly now: () => number
  readonly counters: EdgeMetrics['counters']
  /** A command of the edge's own was refused by the server. */
  onOwnRefused(verb: Verb, text: string): void
}

/** What one session may ask of the pool while it runs. */
export interface SpliceOwner {
  /** A connection of the same user on which exactly these extensions are enabled; the present one is given back. */
  exchange(enabledKey: string, handBack: HandBack): ServerConnection | undefined
  onEnd(ending: Ending): void
}
