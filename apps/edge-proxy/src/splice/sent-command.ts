/** A command that has been sent to the server. */
import type { Verb } from '../imap/verb.ts'

export interface SentCommand {
  readonly tag: string
  readonly verb: Verb
  /** Sent by the edge itself: the client must not see the reply. Until the client claims it, if it was asked ahead. */
  readonly isOwn: boolean
}
