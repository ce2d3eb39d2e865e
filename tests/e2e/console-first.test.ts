/** Answers that a page of the console gets together with its HTML (packages/api/src/first-requests.ts). */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { firstRequests } from '@imapfleet/api'
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

suite('console: first answers', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { enter, open } = consoleOfFleet(async (started) => {
    fleet = started
    await fleet.api('/v1/config/revisions', {
      method: 'POST',
      body: { layer: { kind: 'global' }, set: { 'pool.usesMax': 2_000 }, note: 'connections live longer' },
    })
  })

  const left = async (page: Page) =>
    (await page.evaluate(
      "[...document.querySelectorAll('script[data-answer]')].map((each) => each.dataset.answer)",
    )) as string[]

  /** Opens a page with all that control answers first. On a busy machine control leaves out what takes it too long. */
  const openWhole = async (page: Page, path: string) => {
    const { pathname, searchParams } = new URL(path, fleet.stack.control.api)
    const wanted = firstRequests(pathname, searchParams).flat()
    await until(`every answer of ${path}`, async () => {
      const html = (await (await page.goto(path, { waitUntil: 'commit' }))?.text()) ?? ''
      return html.split(' data-answer=').length - 1 === wanted.length
    })
  }

  test('each page gets what it is for with its HTML, takes every answer, and asks for nothing before', async () => {
    const { page, offences } = await open('/')
    await page.getByText('All 2 edges serve').waitFor()
    // Without any answer of the API, a page shows what it got with its HTML.
    await page.route('**/v1/**', () => undefined)
    for (const { path, title, shown } of pages) {
      await openWhole(page, path)
      await pageHeading(page, title).waitFor()
      await page.getByText(shown).first().waitFor()
      await until(`${path} to take every answer`, async () => (await left(page)).length === 0)
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

  test('what was answered to a user who signed out is not used for the next one', async () => {
    const { body } = await fleet.api('/v1/tokens', { method: 'POST', body: { name: 'vera', role: 'viewer' } })
    const { page } = await open('/', { token: (body as { token: string }).token })
    // The page does not ask for what the user may not have.
    await page.goto('/access')
    await page.getByText('vera has the role viewer').waitFor()
    await page.getByRole('button', { name: 'Sign out' }).click()
    await signInOnPage(page, fleet.stack.token)
    await page.getByText('Last used').first().waitFor()
    assert.equal(await page.getByText('Not allowed').count(), 0)
    await close(page)
  })

  test('a page whose session is answered late is drawn at once', async () => {
    const { page } = await open('/orders')
    await page.route('**/orders', async (route) => {
      const response = await route.fetch()
      const html = (await response.text()).replace(
        /<script [^>]*data-answer="\/v1\/session".*?<\/script>/,
        '',
      )
      await route.fulfill({ response, body: html })
    })
    await page.route('**/v1/session', () => undefined)
    await page.goto('/orders', { waitUntil: 'commit' })
    await page.locator('.greeting').waitFor({ timeout: 10_000 })
    await close(page)
  })

  test('a session that ended shows the sign-in, and the page after it', async () => {
    const { page } = await open('/audit')
    await page.getByText('config.revise').first().waitFor()
    await page
      .context()
      .addCookies([{ name: 'imapfleet_session', value: 'unknown', url: fleet.stack.control.api }])
    await page.goto('/audit')
    await signInOnPage(page, fleet.stack.token)
    await page.getByText('config.revise').first().waitFor()
    assert.deepEqual(await left(page), [])
    await close(page)
  })
})
