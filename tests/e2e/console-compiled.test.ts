/** What a browser keeps of the console, so that a page does not compile it again. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local'
import type { BrowserContext } from 'playwright-core'
import { launchProfile, noChromium, pageHeading, signInOnPage } from '../support/browser.ts'
import { consoleOfFleet } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

interface TraceEvent {
  name: string
  args: { data?: { url?: string; consumedCacheSize?: number } }
}

suite('console: compiled code', { skip: noChromium }, () => {
  let fleet: TestFleet
  consoleOfFleet(async (started) => {
    fleet = started
  })

  test('a browser with a profile compiles no script of the console again', async (t) => {
    const context = await launchProfile(temporaryDirectory('profile'), fleet.stack.control.api)
    t.after(() => context.close())
    const page = await context.newPage()
    await page.goto('/')
    await signInOnPage(page, fleet.stack.token)
    await pageHeading(page, 'Overview').waitFor()
    await until('compiled code of the script', async () => {
      const kept = await keptScripts(context)
      return kept.some((url) => url.includes('/assets/index-'))
    })
  })
})

/** The scripts of a page in a new tab, and so in a new process, whose compiled code the browser has kept. */
async function keptScripts(context: BrowserContext): Promise<string[]> {
  const browser = context.browser()
  assert.ok(browser)
  const page = await context.newPage()
  await browser.startTracing(page, { categories: ['-*', 'v8', 'disabled-by-default-v8.compile'] })
  await page.goto('/audit')
  await pageHeading(page, 'Audit').waitFor()
  const trace = JSON.parse((await browser.stopTracing()).toString()) as { traceEvents: TraceEvent[] }
  await page.close()
  return trace.traceEvents.flatMap(({ args: { data } }) =>
    data?.url !== undefined && (data.consumedCacheSize ?? 0) > 0 ? [data.url] : [],
  )
}
