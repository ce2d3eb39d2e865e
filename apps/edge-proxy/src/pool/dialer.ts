/** Opens a connection for a lease: dials, logs in, and counts the result. A failure is returned as the answer to the login. */
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
 * @param capacity evicts idle connections if no further one is allowed. If it leases an idle connection, the attempt ends
 * @param onOpen called synchronously when the connection is open, so that no revocation can be missed
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
  // Before the connection is admitted, because connections that this evidence closes no longer count.
  evidence.accepted(request)
  capacity.accepted()
  const connection = connectionFor(dial, opened, context.clock.now())
  if (dial.distrustReason !== undefined) connection.distrust(dial.distrustReason)
  return onOpen(connection, { untagged: opened.untagged, idsSent: opened.ids.sent })
}

/** Harmless, because the login continues. imapproxy logs a refused ID with these words, and operators search for them. */
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
