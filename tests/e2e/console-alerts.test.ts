/** The page Alerts, and open alerts on the overview, with a real edge that falls silent. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { AlertSilence, AlertView } from '@imapfleet/api'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium, pageHeading, signInOnPage } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('console: alerts', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { enter, open } = consoleOfFleet(async (started) => {
    fleet = started
    await fleet.api('/v1/alert-rules/edge-silent', {
      method: 'POST',
      body: { holdSeconds: 0, clearSeconds: 0 },
    })
  })
  const alerts = async (state: string) =>
    ((await fleet.api(`/v1/alerts?state=${state}&rule=edge-silent`)).body as { alerts: AlertView[] }).alerts

  test('without an alert and a channel the page says so, and has all rules', async () => {
    const { page, offences } = await open('/alerts')
    await pageHeading(page, 'Alerts').waitFor()
    await page.getByText('No channels').waitFor()
    await page.getByText('No silence is active').waitFor()
    await page.getByRole('row').filter({ hasText: 'Clock wrong' }).getByText('above 10 seconds').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('an open alert is on the page of its edge with its time, and the same problem is not shown again', async () => {
    await fleet.us.process.kill()
    await until('the alert', async () => (await alerts('open')).length === 1, 60_000)
    const { page, offences } = await open('/edges/us-1')
    const shown = page.getByRole('region', { name: 'Open alerts' })
    await shown.getByText('us-1: no heartbeat since').waitFor()
    assert.match((await shown.textContent()) ?? '', /Edge silent for \d+ /)
    assert.equal(await page.getByText('This edge has been silent for').count(), 0)
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a long name of a region leaves room for the other columns, and fits a narrow window', async () => {
    const long = 'north-america-'.repeat(5)
    const { page } = await enter('/alerts')
    await page.route(/\/v1\/(alerts\?|edges\/us-1$)/, async (route) => {
      const response = await route.fetch()
      const text = (await response.text()).replaceAll('"region":"us"', `"region":"${long}"`)
      await route.fulfill({ response, body: text })
    })
    await signInOnPage(page, fleet.stack.token)
    const cell = page.getByRole('cell', { name: long })
    await cell.waitFor()
    const spill = `[...document.querySelectorAll('[aria-label="List of alerts"] td')].map((cell) =>
      cell.firstElementChild.getBoundingClientRect().right - cell.getBoundingClientRect().right)`
    assert.ok(Math.max(...(await page.evaluate<number[]>(spill))) <= 0, 'nothing is over the next column')
    const text = await page.getByRole('cell', { name: /no heartbeat/ }).boundingBox()
    assert.ok((text?.width ?? 0) > 250, `${text?.width} px for the text`)
    assert.equal(await pageWidth(page), 1280)
    await page.setViewportSize({ width: 375, height: 800 })
    assert.equal(await pageWidth(page), 375)
    await page.goto('/edges/us-1')
    await page.getByRole('link', { name: `Edges of ${long}` }).waitFor()
    assert.equal(await pageWidth(page), 375)
    await close(page)
  })

  test('an open alert is on the overview, is acknowledged there with a reason, and is then no longer on top', async () => {
    const { page, offences } = await open('/')
    const shown = page.getByRole('region', { name: 'Open alerts' })
    await shown.getByText('us-1: no heartbeat since').waitFor()
    await shown.getByRole('link', { name: 'Edge silent' }).click()
    await pageHeading(page, 'Alerts').waitFor()
    const [alert] = await alerts('open')
    const details = page.getByRole('region', { name: `Alert ${alert?.id}` })
    await details.getByText('Check the process of the edge').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await details.getByRole('button', { name: 'Acknowledge' }).click()
    const dialog = page.getByRole('dialog')
    const button = dialog.getByRole('button', { name: 'Acknowledge', exact: true })
    assert.equal(await button.isEnabled(), false, 'without a reason')
    await dialog.getByLabel('Reason').fill('a new disk is on its way')
    await dialog.getByLabel('For').selectOption('1 hour')
    await button.click()
    await dialog.waitFor({ state: 'detached' })
    await details.getByText('a new disk is on its way').waitFor({ timeout: 30_000 })
    const [acknowledged] = await alerts('open')
    assert.equal(acknowledged?.acknowledged?.reason, 'a new disk is on its way')
    await page.getByRole('link', { name: 'Overview' }).click()
    await shown.getByText('1 open alert, acknowledged or silenced').waitFor()
    assert.equal(await shown.getByRole('link', { name: 'Edge silent' }).count(), 0)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a silence of an alert is made, shown and ended; one of everything must be confirmed', async () => {
    const [alert] = await alerts('open')
    const { page, offences } = await open(`/alerts?alert=${alert?.id}`, { width: 375 })
    await page.getByRole('button', { name: 'Silence', exact: true }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByLabel('Edge').inputValue(), 'us-1')
    await dialog.getByLabel('Reason').fill('maintenance')
    await dialog.getByRole('button', { name: 'Silence', exact: true }).click()
    await dialog.waitFor({ state: 'detached' })
    const silences = async () =>
      ((await fleet.api('/v1/alert-silences')).body as { silences: AlertSilence[] }).silences
    const [silence] = await silences()
    assert.deepEqual(
      [silence?.rule, silence?.region, silence?.edge, silence?.subject],
      ['edge-silent', 'us', 'us-1', 'us-1'],
    )
    const end = page.getByRole('button', { name: `End silence ${silence?.id}` })
    await end.waitFor({ timeout: 30_000 })
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await end.click()
    await until('its end', async () => !(await silences())[0]?.isActive)

    await page.getByRole('button', { name: 'New silence' }).click()
    await dialog.getByLabel('Reason').fill('all of it')
    assert.equal(await dialog.getByRole('button', { name: 'Silence', exact: true }).isEnabled(), false)
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a rule is changed, and a wrong threshold is refused with its bounds', async () => {
    const { page } = await open('/alerts', { colours: 'dark' })
    await page.getByRole('button', { name: 'Change Clock wrong' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Threshold').fill('0')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('must be 1 to 86400 seconds').waitFor()
    await dialog.getByLabel('Threshold').fill('20')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await page.getByRole('row').filter({ hasText: 'Clock wrong' }).getByText('above 20 seconds').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await close(page)
  })
})
