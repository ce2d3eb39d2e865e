/** Loads the file that draws charts, once: most pages have none, and to load it takes a browser as long as to draw a page. */
import { useLayoutEffect } from 'preact/hooks'

let loading: Promise<typeof import('./plot.ts')> | undefined

export async function loadPlots(): Promise<typeof import('./plot.ts')> {
  loading ??= import('./plot.ts')
  try {
    return await loading
  } catch (error) {
    // The next chart tries again.
    loading = undefined
    throw error
  }
}

/** A page with charts loads it while control is asked for their values. */
export function usePlots(isTime = true): void {
  useLayoutEffect(() => {
    // A chart shows a message if it cannot be loaded.
    if (isTime) void loadPlots().catch(() => {})
  }, [isTime])
}
