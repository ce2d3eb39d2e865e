/**
 * Runs the code that draws charts at its first use: it creates formatters of `Intl`, which takes a browser as long as to draw a
 * page, and most pages have no charts.
 */
import { useLayoutEffect } from 'preact/hooks'

export const loadPlots = (): Promise<typeof import('./plot.ts')> => import('./plot.ts')

/** For a page that begins with charts: while control is asked for their values. */
export function usePlots(): void {
  useLayoutEffect(() => void loadPlots(), [])
}
