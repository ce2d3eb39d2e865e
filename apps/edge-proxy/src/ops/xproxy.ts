/** The XPROXY_ commands before login, with the replies of imapproxy's README. They affect only this edge. */
import { oneLine } from '@imapfleet/observe'
import type { Client } from '../client/client.ts'
import type { EdgeContext } from '../edge/context.ts'
import { version } from '../version.ts'
import type { Verb } from '../imap/verb.ts'
import { networksContain } from '../net/networks.ts'
import { clearLog, listConnections, resetCounters, traceIntoLog, type Done } from './operations.ts'

/** Whether this client may use the commands, and is offered XIMAPPROXY. */
export function mayAdminister(context: EdgeContext, client: Client): boolean {
  const { commands, allowFrom } = context.settings.current.admin
  return commands && (allowFrom.length === 0 || networksContain(allowFrom, client.address))
}

/** Answers one command. False: it is not an XPROXY_ command, or this client may not use it. */
export function answerXproxy(
  context: EdgeContext,
  client: Client,
  verb: Verb,
  tag: string,
  rest: string,
): boolean {
  if (!mayAdminister(context, client)) return false
  switch (verb) {
    case 'XPROXY_VERSION':
      client.write(`* XPROXY_VERSION ${version}\r\n${tag} OK Completed\r\n`)
      return true
    case 'XPROXY_DUMPICC': {
      const lines = listConnections(context).map(
        ({ number, connection: { user, state } }) =>
          `* XPROXY_DUMPICC ${number} ${oneLine(user)} ${state === 'leased' ? 'Active' : 'Cached'}\r\n`,
      )
      client.write(Buffer.from(`${lines.join('')}${tag} OK Completed\r\n`))
      return true
    }
    case 'XPROXY_TRACE':
      if (rest === '') replyWith(client, tag, traceIntoLog(context, undefined), 'Tracing disabled')
      else replyWith(client, tag, traceIntoLog(context, rest), `Tracing enabled for user ${rest}`)
      return true
    case 'XPROXY_NEWLOG':
      replyWith(client, tag, clearLog(context), 'Logfile cleared')
      return true
    case 'XPROXY_RESETCOUNTERS':
      replyWith(client, tag, resetCounters(context), 'Counters reset')
      return true
    default:
      return false
  }
}

/** Replies in UTF-8, because the text may contain a user name. */
function replyWith(client: Client, tag: string, outcome: Done, words: string): void {
  const text = outcome.ok ? `OK ${words}` : `NO ${oneLine(outcome.reason)}`
  client.write(Buffer.from(`${tag} ${text}\r\n`))
}
