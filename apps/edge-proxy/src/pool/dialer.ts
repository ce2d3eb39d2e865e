/** Opens a connection for a lease: dials, logs in, counts. A failure becomes the answer to the login. */
import { oneLine } from '@imapfleet/observe'
import { expiryOf } from '../imap/credentials.ts'
import { openConnection, type OpenResult } from '../server/open-connection.ts'
import { ServerConnection } from '../server/server-connection.ts'
import type { Dial } from './connections.ts'
import type { Evidence } from './evidence.ts'
import {
  refusedAsAbandoned,
  refusedByServer,
  refusesUser,
  type Leased,
  type LeaseRequest,
  type PoolContext,
  type Refused,
} from './lease.ts'
import type { CapacityForDial } from './capacity.ts'

/**
 * @param capacity evicts idle connections if no further one is allowed; a connection that it leases ends the attempt
 * @param onOpen gets the connection synchronously when it is open, so that no revocation can come between
 */
export async function openFor<Result>(
  dial: Dial,
  capacity: CapacityForDial,
  context: PoolContext,
  evidence: Evidence,
  onOpen: (connection: ServerConnection, login: Pick<Leased, 'untagged' | 'idsSent'>) => Result,
): Promise<Result | Refused | ServerConnection> {
  const { request } = dial
  const { server, credentials, holder } = request
  await capacity.prepare()
  if (capacity.found) return capacity.found
  const opening = openConnection(server, credentials, holder, capacity)
  const opened = await context.metrics.histograms.upstream_dial_seconds.measure(opening)
  if (opened.kind === 'opened' || opened.kind === 'login-refused') logRefusedIds(opened.ids.refused, context)
  if (opened.kind !== 'opened') {
    if (capacity.found) return capacity.found
    const answer = refused(opened, request, context)
    if (opened.kind === 'login-refused' && !opened.byEdge) evidence.refused(request, answer.cause)
    return answer
  }
  // Before the connection is admitted: the connections that this ends no longer count.
  evidence.accepted(request)
  capacity.accepted()
  const connection = connectionFor(dial, opened, context.clock.now())
  if (dial.distrustReason !== undefined) connection.distrust(dial.distrustReason)
  return onOpen(connection, { untagged: opened.untagged, idsSent: opened.ids.sent })
}

/** Harmless: the login goes on. These are the words of imapproxy for a refused ID. Operators search logs for them. */
function logRefusedIds(answers: readonly string[], { log }: PoolContext): void {
  for (const answer of answers) log.warn('QUEUED PREAUTH failed', { command: 'ID', answer: oneLine(answer) })
}

function connectionFor(
  { request, user, openedBy }: Dial,
  { link, capabilities, text }: Extract<OpenResult, { kind: 'opened' }>,
  now: number,
): ServerConnection {
  const { server, credentials, identity, secretDigest } = request
  return new ServerConnection({
    link,
    serverName: server.name,
    identity,
    secretDigest,
    user,
    openedBy,
    generation: server.generation,
    capabilities,
    loginText: text,
    expiresAt: expiryOf(credentials),
    identification: server.identification,
    now,
  })
}

function refused(
  opened: Exclude<OpenResult, { kind: 'opened' }>,
  { server, holder }: LeaseRequest,
  { metrics, log }: PoolContext,
): Refused {
  const upstream = server.name
  if (opened.kind === 'abandoned') {
    if (holder.loginSignal.reason === 'out-of-time') {
      const detail = 'no answer to the login within clients.loginTimeoutMs'
      metrics.counters.upstream_failures_total({ upstream, reason: 'timed-out' }).value++
      log.warn('upstream_unavailable', { upstream, reason: 'timed-out', detail })
    }
    metrics.counters.logins_total({ upstream, result: 'failed' }).value++
    return refusedAsAbandoned(holder)
  }
  if (opened.kind === 'unavailable') {
    const { reason, detail } = opened
    metrics.counters.upstream_failures_total({ upstream, reason }).value++
    log.warn('upstream_unavailable', { upstream, reason, detail })
  }
  const answer = refusedByServer(opened)
  const result = refusesUser(answer.cause) ? 'refused' : 'failed'
  metrics.counters.logins_total({ upstream, result }).value++
  return answer
}
