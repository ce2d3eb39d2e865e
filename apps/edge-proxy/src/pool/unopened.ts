/** A connection that could not be opened: counted, told to the operator where the server is at fault, and answered. */
import type { Counters } from '../observe/counters.ts'
import type { Log } from '../observe/log.ts'
import type { Opened } from '../server/open.ts'
import type { Server } from '../server/server.ts'
import { openRefused, type Refused } from './lease.ts'

export function unopened(
  opened: Exclude<Opened, { kind: 'opened' }>,
  { name, count }: Server,
  { counters, log }: { readonly counters: Counters; readonly log: Log },
): Refused {
  if (opened.kind === 'unavailable') {
    const { reason, detail } = opened
    counters.counter('upstream_failures_total', { upstream: name, reason }).value++
    log.warn('upstream_unavailable', { upstream: name, reason, detail })
  }
  const refused = openRefused(opened)
  const counter = refused.cause === 'wrong-credentials' ? count.loginsRefused : count.loginsFailed
  counter.value++
  return refused
}
