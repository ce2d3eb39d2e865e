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
    // One question: a page that is asked again and again is slower.
    const times = await Promise.race([
      page.evaluate<LoadTimes>('window.allDrawn'),
      sleep(patienceMs, undefined, { ref: false }),
    ])
    if (times) return times
    throw new BenchError(`the page ${title} has shown no figures: ${path}`)
  } finally {
    await page.close()
  }
}

/** A script that looks in each frame of the page, before it is drawn. */
const watchFor = (conditions: Record<keyof LoadTimes, string>): string => `
  const drawnAt = {}
  const conditions = { ${Object.entries(conditions)
    .map(([name, expression]) => `${name}: () => ${expression}`)
    .join(', ')} }
  window.allDrawn = new Promise((done) => {
    const look = () => {
      for (const [name, isThere] of Object.entries(conditions))
        if (drawnAt[name] === undefined && isThere()) drawnAt[name] = performance.now()
      if (Object.keys(drawnAt).length < ${Object.keys(conditions).length}) requestAnimationFrame(look)
      else done(drawnAt)
    }
    requestAnimationFrame(look)
  })
`
