/** The health of the edges of a rollout: their failures since the wave settled, compared with those before it started. */
import type { FailureCounts, RolloutHealth } from '@imapfleet/api'
import type { Deps } from '../../deps.ts'
import { increasesBetween } from '../history/service.ts'

/** Fewer than this are not significant: one failure of two would be 50 %. */
const loginsMin = 20
const dialsMin = 10
/** How much of the time before the rollout is compared. */
const beforeMs = 600_000

/** The reason why these edges do worse, or undefined. Milliseconds since 1970. */
export async function judgeHealth(
  deps: Deps,
  edges: readonly string[],
  at: { startedAt: number; settledAt: number; now: number; errorShareMax: number },
): Promise<string | undefined> {
  const before = await count(deps, edges, at.startedAt - beforeMs, at.startedAt)
  const now = await count(deps, edges, at.settledAt, at.now)
  return worseThan(before, now, at.errorShareMax)
}

/** What `judgeHealth` compares, and the same of the edges that the rollout has not reached. Milliseconds since 1970. */
export async function rolloutHealth(
  deps: Deps,
  { reached, rest }: { reached: readonly string[]; rest: readonly string[] },
  at: { startedAt: number; since: number; until: number },
): Promise<RolloutHealth> {
  const until = Math.max(at.since, at.until)
  const of = async (edges: readonly string[]) => ({
    edges: edges.length,
    before: await count(deps, edges, at.startedAt - beforeMs, at.startedAt),
    now: await count(deps, edges, at.since, until),
  })
  return {
    since: new Date(at.since).toISOString(),
    until: new Date(until).toISOString(),
    reached: await of(reached),
    rest: await of(rest),
    loginsMin,
    dialsMin,
  }
}

/** The reason why it is worse, or undefined. `mayGrow`: how much the share of failures may rise. */
export function worseThan(before: FailureCounts, now: FailureCounts, mayGrow: number): string | undefined {
  return (
    worseShare(
      'logins',
      loginsMin,
      mayGrow,
      [before.failedLogins, before.logins],
      [now.failedLogins, now.logins],
    ) ??
    worseShare(
      'upstream connections',
      dialsMin,
      mayGrow,
      [before.failedDials, before.dials],
      [now.failedDials, now.dials],
    )
  )
}

type Part = readonly [failed: number, all: number]

function worseShare(what: string, min: number, mayGrow: number, before: Part, now: Part): string | undefined {
  if (now[1] < min) return undefined
  // Without earlier counts, the earlier share of failures counts as zero.
  const [was, is] = [before, now].map(([failed, all]) => (all === 0 ? 0 : failed / all)) as [number, number]
  if (is <= was + mayGrow) return undefined
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  return `${percent(is)} of ${now[1]} ${what} fail, up from ${percent(was)}`
}

const counted = 'logins_total,logins_total{result="ok"},upstream_connections_total,upstream_failures_total'

async function count(deps: Deps, edges: readonly string[], from: number, to: number): Promise<FailureCounts> {
  const [logins = 0, ok = 0, opened = 0, failed = 0] = await increasesBetween(deps, counted, {
    edges,
    from,
    to,
  })
  return { logins, failedLogins: logins - ok, dials: opened + failed, failedDials: failed }
}
