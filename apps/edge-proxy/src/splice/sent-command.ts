/** A command that has been sent to the server. */
import type { Verb } from '../imap/verb.ts'

export interface SentCommand {
  readonly tag: string
  readonly verb: Verb
  /** Sent by the edge: the client must not get the reply. False after the client has claimed a question. */
  readonly isOwn: boolean
}
