/** The screen of one edge, refreshed until the operator quits. */
import { setTimeout as pause } from 'node:timers/promises'
import { edgeStats } from '../api.ts'
import { Failure } from '../failure.ts'
import { edgeScreen, type StatsReading } from '../print/edge-screen.ts'
import { safe } from '../print/safe.ts'
import { openScreen } from '../print/screen.ts'
import { ago } from '../print/time.ts'
import type { Shell } from '../shell.ts'

export async function watchEdge(
  edge: URL,
  first: StatsReading,
  everyMs: number,
  shell: Shell,
): Promise<void> {
  const left = new AbortController()
  const done = AbortSignal.any([left.signal, shell.untilStopped()])
  const screen = openScreen(shell, () => left.abort())
  let look = first
  let before: StatsReading | undefined
  let trouble: string | undefined
  try {
    while (!done.aborted) {
      screen.draw(() => {
        const page = shell.page()
        const head = trouble === undefined ? [] : [page.paint('red', staleText(look, trouble))]
        return [...head, ...edgeScreen(look, before, page), '', page.paint('dim', 'q: leave')]
      })
      await pause(everyMs, undefined, { signal: done }).catch(() => undefined)
      if (done.aborted) return
      try {
        const stats = await edgeStats(edge, done)
        before = look
        look = { stats, at: Date.now() }
        trouble = undefined
      } catch (error) {
        if (done.aborted) return
        if (!(error instanceof Failure)) throw error
        trouble = error.message
      }
    }
  } finally {
    screen.close()
  }
}

const staleText = (look: StatsReading, trouble: string) =>
  `figures from ${ago(look.at, Date.now())}: ${safe(trouble)}`
