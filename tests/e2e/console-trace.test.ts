/** The trace pages of the web console: a user is traced live while a real client reads a real mail. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import type { Browser } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { launchBrowser, noChromium, openPage, signIn, type Look } from '../support/browser.ts'
import { Fleet } from '../support/fleet.ts'

suite('console: trace', { skip: noChromium }, () => {
  let fleet: Fleet
  let browser: Browser
  before(async () => {
    ;[fleet, browser] = await Promise.all([Fleet.start(), launchBrowser()])
  })
  after(async () => {
    await browser?.close()
    await fleet?.stop()
  })

  const open = async (path: string, look: Look = {}) => {
    const watched = await openPage(browser, fleet.stack.control.api, look)
    await watched.page.goto(path)
    await signIn(watched.page, fleet.stack.token)
    return watched
  }

  test('a user is traced live, through an outage of control; the trace is stopped, kept and downloaded', async () => {
    const { page, offences } = await open('/trace')
    await page.getByText('Nobody has been traced yet').waitFor()
    await page.getByRole('button', { name: 'Trace a user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Login names').fill(fleet.alice.user)
    await dialog.getByLabel('For').selectOption({ label: '1 hour' })
    await dialog.getByRole('button', { name: 'Start' }).click()
    await page.getByRole('heading', { name: `Trace of ${fleet.alice.user}` }).waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByText(/eu-1, us-1 tracing|us-1, eu-1 tracing/).waitFor()

    await fleet.session(fleet.eu, fleet.alice)
    const log = page.getByRole('log')
    await log
      .getByText(/S: .*LOGOUT|session ended: logout/)
      .first()
      .waitFor()
    const said = (await log.textContent()) ?? ''
    assert.match(said, /C: .*SELECT/)
    assert.ok(!said.includes(fleet.alice.password), 'a password is shown')
    await page.getByLabel('Only lines with').fill('SELECT')
    await log
      .getByText(/C: .*SELECT/)
      .first()
      .waitFor()
    assert.equal(await log.getByText('session ended').count(), 0)
    await page.getByLabel('Only lines with').fill('')
    assert.deepEqual(await accessibilityFaults(page), [])

    await fleet.stack.control.process.kill()
    await page.getByText('not live: connecting again').waitFor()
    await fleet.stack.control.process.start()
    await page.getByText('live', { exact: true }).waitFor()
    const endings = await log.getByText('session ended: logout').count()
    await fleet.session(fleet.us, fleet.alice)
    await log.getByText('session ended: logout').nth(endings).waitFor()

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download' }).click(),
    ])
    const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\n')
    assert.ok(
      lines.map((line) => JSON.parse(line) as { text?: string }).some(({ text }) => text?.includes('SELECT')),
    )

    await page.getByRole('button', { name: 'Stop' }).click()
    await page.getByText('ended', { exact: true }).waitFor()
    await page.getByRole('link', { name: 'All traces' }).click()
    await page.getByRole('row', { name: fleet.alice.user }).getByText('ended').waitFor()
    // What the browser says of a server that was away is no fault of the page.
    assert.deepEqual(
      offences.filter((offence) => !/ERR_|Failed to load/.test(offence)),
      [],
    )
    await page.context().close()

    const narrow = await open(new URL(page.url()).pathname, { width: 375, colours: 'dark' })
    await narrow.page.getByRole('link', { name: fleet.alice.user }).click()
    await narrow.page.getByRole('log').getByText('SELECT').first().waitFor()
    assert.equal(await narrow.page.evaluate('document.documentElement.scrollWidth'), 375)
    assert.deepEqual(await accessibilityFaults(narrow.page), [])
    await narrow.page.context().close()
  })
})
