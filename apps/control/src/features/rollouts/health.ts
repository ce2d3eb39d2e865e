/** Compares the failures of edges before and after a revision. */

/** The counts of some edges over some time. */
export interface LoginCounts {
  logins: number
  failedLogins: number
  /** Attempts to connect to an upstream, and the failed ones among them. */
  dials: number
  failedDials: number
}

/** Fewer than this are not significant: one failure of two would be 50 %. */
const loginsMin = 20
const dialsMin = 10

/** The reason why it is worse, or undefined. `mayGrow`: how much the share of failures may rise. */
export function worseThan(before: LoginCounts, now: LoginCounts, mayGrow: number): string | undefined {
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
