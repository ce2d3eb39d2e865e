/** Requests that a page of the console makes before the console is loaded (apps/console/src/first-requests.ts). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { noChromium, pageHeading, signInOnPage } from '../support/browser.ts'
import { close, consoleOfFleet } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

/** What each page shows when it has the answer. */
const pages = [
  { path: '/', title: 'Overview', shown: 'All 2 edges serve' },
  { path: '/edges/eu-1', title: 'eu-1', shown: 'serving' },
  { path: '/history', title: 'History', shown: /Steps of|No reports/ },
  { path: '/history?groupBy=edge&from=-1h&edge=us-1', title: 'History', shown: /Steps of|No reports/ },
  { path: '/alerts', title: 'Alerts', shown: 'No alert is open' },
  { path: '/alerts?state=all', title: 'Alerts', shown: 'Rules' },
  { path: '/trace', title: 'Trace', shown: 'No trace' },
  { path: '/config', title: 'Config', shown: 'Revisions' },
  { path: '/config/1', title: 'Revision 1', shown: 'connections live longer' },
  { path: '/orders', title: 'Orders', shown: 'No order' },
  { path: '/access', title: 'Access', shown: 'Last used' },
  { path: '/audit', title: 'Audit', shown: 'config.revise' },
] as const

suite('console: first requests', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { enter, open } = consoleOfFleet(async (started) => {
    fleet = started
    await fleet.api('/v1/config/revisions', {
      method: 'POST',
      body: { layer: { kind: 'global' }, set: { 'pool.usesMax': 2_000 }, note: 'connections live longer' },
    })
  })

  const left = async (page: Page) =>
    (await page.evaluate('[...(window.firstAnswers ?? new Map()).keys()]')) as string[]

  test('each page asks before the console is loaded, and takes every answer', async () => {
    const { page, offences } = await open('/')
    await page.getByText('All 2 edges serve').waitFor()
    let release = () => {}
    await page.route('**/assets/index-*.js', async (route) => {
      await new Promise<void>((resolve) => (release = resolve))
      await route.continue()
    })
    for (const { path, title, shown } of pages) {
      await page.goto(path, { waitUntil: 'commit' })
      await until(`the first requests of ${path}`, async () => (await left(page)).length >= 2)
      release()
      await pageHeading(page, title).waitFor()
      await page.getByText(shown).first().waitFor()
      await until(`their answers on ${path}`, async () => (await left(page)).length === 0)
    }
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('what was answered to a user who was not signed in is not used after the sign-in', async () => {
    for (const { path, title, shown } of pages) {
      const { page } = await enter(path)
      await signInOnPage(page, fleet.stack.token)
      await pageHeading(page, title).waitFor()
      await page.getByText(shown).first().waitFor()
      assert.deepEqual(await left(page), [])
      await close(page)
    }
  })
})
