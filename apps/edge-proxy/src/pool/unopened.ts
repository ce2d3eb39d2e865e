/** A connection that could not be opened: counted, told to the operator where the server is at fault, and answered. */
import type { EdgeMetrics, Log } from '@imapfleet/observe'
import type { Opened } from '../server/open.ts'
import type { Server } from '../server/server.ts'
import { openRefused, type Refused } from './lease.ts'

export function unopened(
  opened: Exclude<Opened, { kind: 'opened' }>,
  { name, count }: Server,
  { metrics, log }: { readonly metrics: EdgeMetrics; readonly log: Log },
): Refused {
  if (opened.kind === 'unavailable') {
    const { reason, detail } = opened
    metrics.counters.upstream_failures_total({ upstream: name, reason }).value++
    log.warn('upstream_unavailable', { upstream: name, reason, detail })
  }
  const refused = openRefused(opened)
  const counter = refused.cause === 'wrong-credentials' ? count.loginsRefused : count.loginsFailed
  counter.value++
  return refused
}
