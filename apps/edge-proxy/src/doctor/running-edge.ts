/** Finds the running edge with the same configuration by its HTTP port, and checks its state. */
import type { EdgeConfig } from '@imapfleet/config'
import { findingsAbout, type CheckFinding } from '@imapfleet/observe'
import { edgeStatsSchema, type EdgeStats } from '@imapfleet/protocol'
import { runtime } from '../runtime.ts'
import { version } from '../version.ts'
import { missingForReady } from '../observe/readiness.ts'
import { isEdgeWith, portOwner } from './port-owner.ts'

const timeoutMs = 2_000

/** Undefined: no edge answers on the configured port, or an edge with another configuration does. */
export async function findRunningEdge(
  path: string,
  { edge, http }: EdgeConfig,
): Promise<EdgeStats | undefined> {
  if (http.port === 0) return undefined
  const host = { '0.0.0.0': '127.0.0.1', '::': '::1' }[http.address] ?? http.address
  try {
    const url = `http://${host.includes(':') ? `[${host}]` : host}:${http.port}/stats`
    const late = new AbortController()
    const timer = runtime.after(timeoutMs, () => late.abort())
    const answer = await fetch(url, { signal: late.signal }).finally(() => runtime.cancel(timer))
    const stats = edgeStatsSchema.safeParse(await answer.json())
    if (!stats.success) return undefined
    const owner = portOwner(http)
    const isOwn = owner ? isEdgeWith(owner, path) : stats.data.edge === edge.id
    return isOwn ? stats.data : undefined
  } catch {
    return undefined
  }
}

/** The problems that the edge reports on `/readyz` and `/healthz`, and differences between the edge and the file. */
export function checkRunning(running: EdgeStats, { edge: { id, region } }: EdgeConfig): CheckFinding[] {
  const { ok, warn, fail } = findingsAbout('running')
  const missing = missingForReady(running)
  const problems = (running.problems ?? []).filter((problem) => !missing.includes(problem))
  const { fleet } = running
  const isRenamed = running.edge !== id || running.region !== region
  return [
    ...(isRenamed
      ? [
          warn(
            `it runs as ${running.edge} in the region ${running.region}, and the file says ${id} in ${region}`,
            'let a new process take over: systemctl kill --kill-whom=main --signal=SIGUSR2 imapfleet-edge',
          ),
        ]
      : []),
    ...(running.version === version
      ? []
      : [
          warn(
            `version ${running.version} runs, and version ${version} is installed`,
            'systemctl reload imapfleet-edge; if it still runs then, the log has handover_failed with the reason',
          ),
        ]),
    ...missing.map((text) => fail(`not ready: ${text}`, 'load balancers send it no clients: see /readyz')),
    ...problems.map((text) => warn(text, 'see docs/failure-modes.md')),
    ...(fleet && !fleet.connected
      ? [
          warn(
            `not in the fleet: ${fleet.reason}`,
            'see the checks of NATS; if they are well, let a new process read the files: systemctl kill --kill-whom=main --signal=SIGUSR2 imapfleet-edge',
          ),
        ]
      : []),
    ...(missing.length + problems.length === 0 && fleet?.connected !== false
      ? [ok(`version ${running.version} is ready, without problems`)]
      : []),
  ]
}
