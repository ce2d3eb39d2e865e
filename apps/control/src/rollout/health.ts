/** Whether edges do worse with a revision than they did before it. */

/** What some edges counted over some time. */
export interface LoginCounts {
  logins: number
  failedLogins: number
  /** Attempts to connect to an upstream, and how many of them failed. */
  dials: number
  failedDials: number
}

/** Fewer than that say nothing: one failure of two would be half of all. */
const loginsMin = 20
const dialsMin = 10

/** Why it is worse, or nothing. `mayGrow`: by how much a share of failures may be larger than before. */
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
  // With nothing to compare with, what was before is taken for flawless.
  const [was, is] = [before, now].map(([failed, all]) => (all === 0 ? 0 : failed / all)) as [number, number]
  if (is <= was + mayGrow) return undefined
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`
  return `${percent(is)} of ${now[1]} ${what} fail, up from ${percent(was)}`
}
