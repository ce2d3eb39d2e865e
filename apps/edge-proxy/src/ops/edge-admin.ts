/** The XPROXY_ commands at work on this edge, for clients that may use them. */
import { oneLine } from '@imapfleet/observe'
import type { Client } from '../client/client.ts'
import { answerAdmin, type AdminActions } from './admin.ts'
import type { EdgeParts } from '../edge/edge-parts.ts'
import type { Verb } from '../imap/verb.ts'
import { networksContain } from '../net/networks.ts'
import { version } from '../edge/version.ts'

const traceId = 'xproxy-trace'

/** Whether this client may use the commands, and is shown XIMAPPROXY. */
export function mayAdminister(edge: EdgeParts, client: Client): boolean {
  const { commands, allowFrom } = edge.settings.current.admin
  return commands && (allowFrom.length === 0 || networksContain(allowFrom, client.address))
}

export function administer(edge: EdgeParts, client: Client, verb: Verb, tag: string, rest: string): boolean {
  return mayAdminister(edge, client) && answerAdmin(client, verb, tag, rest, actionsOn(edge))
}

function actionsOn(edge: EdgeParts): AdminActions {
  return {
    version,
    hasLog: edge.protocolLog !== undefined,
    connections: () =>
      [...edge.pool.states.all()].map(([upstream, state]) => ({
        number: upstream.number,
        user: oneLine(upstream.user),
        active: state === 'leased',
      })),
    trace: (user) => traceUser(edge, user),
    newLog: () => edge.protocolLog?.clear(),
    resetCounters: () => edge.statistics.reset(),
  }
}

/** One user at a time, as the original has it; traces that the fleet has asked for are not touched. */
function traceUser(edge: EdgeParts, user: string | undefined): void {
  edge.tracer.stop(traceId, 'stopped')
  if (user === undefined || !edge.protocolLog) return
  const { bytesMax } = edge.settings.current.trace
  edge.tracer.start({ id: traceId, user, expiresAt: Infinity, bytesMax, bodies: false }, edge.protocolLog)
}
