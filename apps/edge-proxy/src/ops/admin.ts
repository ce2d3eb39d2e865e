/** The XPROXY_ commands, with the replies of the original's README; they never act on more than this edge. */
import type { Verb } from '../imap/verb.ts'
import type { Client } from '../client/client.ts'

export interface AdminActions {
  version: string
  /** One line for each connection to a server. */
  connections(): { number: number; user: string; active: boolean }[]
  /** Whether there is a protocol log; without one nothing can be traced or cleared. */
  readonly hasLog: boolean
  /** Traces this user into the protocol log from now on; undefined: nobody. */
  trace(user: string | undefined): void
  /** Empties the protocol log. */
  newLog(): void
  resetCounters(): void
}

/** Answers one command; false: it is none of these. */
export function answerAdmin(
  client: Client,
  verb: Verb,
  tag: string,
  rest: string,
  actions: AdminActions,
): boolean {
  switch (verb) {
    case 'XPROXY_VERSION':
      client.write(`* XPROXY_VERSION ${actions.version}\r\n${tag} OK Completed\r\n`)
      return true
    case 'XPROXY_DUMPICC': {
      const lines = actions
        .connections()
        .map(
          ({ number, user, active }) =>
            `* XPROXY_DUMPICC ${number} ${user} ${active ? 'Active' : 'Cached'}\r\n`,
        )
      client.write(Buffer.from(`${lines.join('')}${tag} OK Completed\r\n`))
      return true
    }
    case 'XPROXY_TRACE':
      if (!actions.hasLog) return refuseWithoutLog(client, tag)
      actions.trace(rest === '' ? undefined : rest)
      client.write(
        Buffer.from(`${tag} OK Tracing ${rest === '' ? 'disabled' : `enabled for user ${rest}`}\r\n`),
      )
      return true
    case 'XPROXY_NEWLOG':
      if (!actions.hasLog) return refuseWithoutLog(client, tag)
      actions.newLog()
      client.reply(tag, 'OK Logfile cleared')
      return true
    case 'XPROXY_RESETCOUNTERS':
      actions.resetCounters()
      client.reply(tag, 'OK Counters reset')
      return true
    default:
      return false
  }
}

/** imapproxy does not start without its file; this one does, and must not say that it writes. */
function refuseWithoutLog(client: Client, tag: string): true {
  client.reply(tag, 'NO There is no protocol log: set trace.file (protocol_log_filename) and start again')
  return true
}
