/** Loads a page of the console in Chromium, and takes the times at which its figures are drawn. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserContext } from 'playwright-core'
import { BenchError } from '../problem.ts'
import type { BenchPage } from './pages.ts'

export interface LoadTimes {
  /** Milliseconds from the start of the navigation. */
  first: number
  whole: number
}

const patienceMs = 30_000
const lookEveryMs = 20
/** For a new tab Chromium also loads a page for the popup of the address bar, which takes more time than most of ours. */
export const tabRestMs = 1_000

export async function loadPage(
  context: BrowserContext,
  { title, path, first, whole }: BenchPage,
): Promise<LoadTimes> {
  const page = await context.newPage()
  try {
    await page.addInitScript({ content: watchFor({ first, whole }) })
    await sleep(tabRestMs)
    await page.goto(path, { waitUntil: 'commit' })
    for (const end = performance.now() + patienceMs; ; await sleep(lookEveryMs)) {
      const times = (await page.evaluate('window.drawnAt')) as Partial<LoadTimes> | undefined
      if (times?.first !== undefined && times.whole !== undefined)
        return { first: times.first, whole: times.whole }
      if (performance.now() > end) throw new BenchError(`the page ${title} has shown no figures: ${path}`)
    }
  } finally {
    await page.close()
  }
}

/** A script that looks in each frame of the page, before it is drawn. */
const watchFor = (conditions: Record<keyof LoadTimes, string>): string => `
  window.drawnAt = {}
  const conditions = { ${Object.entries(conditions)
    .map(([name, expression]) => `${name}: () => ${expression}`)
    .join(', ')} }
  const look = () => {
    for (const [name, isThere] of Object.entries(conditions))
      if (window.drawnAt[name] === undefined && isThere()) window.drawnAt[name] = performance.now()
    if (Object.keys(window.drawnAt).length < ${Object.keys(conditions).length}) requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
`
