/** The history page of the web console, with a real fleet: it shows what happened, and a link shows the same to others. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('console: history', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { open } = consoleOfFleet(async (started) => {
    fleet = started
    for (let click = 0; click < 4; click++) await fleet.session(fleet.eu, fleet.alice)
  })

  test('metrics can be chosen and grouped, their values are those counted, and the address of the page reproduces it', async () => {
    const { page, offences } = await open('/history?from=-1h')
    for (const title of ['Sessions per second', 'Login time, 95th percentile', 'Failed logins per second'])
      await page.getByRole('heading', { name: title, exact: true }).waitFor({ timeout: 90_000 })
    await page.getByText('All metrics').click()
    await page.getByLabel('Search metrics').fill('reused')
    await page.getByRole('checkbox', { name: 'upstream_reuses_total', exact: false }).check()
    await page.getByLabel('Function for Reused connections').selectOption({ label: 'in each step' })
    for (const name of ['Login time', 'Logins', 'Connected clients'])
      await page.getByRole('button', { name: `Remove ${name}`, exact: true }).click()
    await page.getByText('edge', { exact: true }).click()
    const row = page.getByRole('row', { name: 'eu-1' })
    // The history has finished steps only.
    await row.getByRole('cell', { name: '3', exact: true }).waitFor({ timeout: 90_000 })
    const ending = page.getByLabel('ending of Sessions')
    await ending.selectOption('violation')
    await page.waitForURL(/ending%3D%22violation/)
    await row.getByRole('cell', { name: '0', exact: true }).waitFor()
    await ending.selectOption('every ending')
    await page.waitForURL(/sessions_total%3Arate/)
    // The names of mail servers come from the edges.
    await page.getByLabel('upstream of Reused connections').selectOption('main')
    await page.waitForURL(/upstream%3D%22main/)
    await row.getByRole('cell', { name: '3', exact: true }).waitFor()
    await page.getByLabel('upstream of Reused connections').focus()
    await page.getByLabel('upstream of Reused connections').selectOption('every upstream')
    await page.waitForURL((url) => !url.search.includes('upstream%3D'))
    await page.locator('.charts').getByText('upstream_reuses_total', { exact: true }).waitFor()
    // The next choice follows with the keyboard.
    assert.equal(
      await page.evaluate("document.activeElement.getAttribute('aria-label')"),
      'upstream of Reused connections',
    )
    assert.equal(await page.getByRole('img', { name: /over time$/ }).count(), 2)
    assert.deepEqual(await accessibilityFaults(page), [])

    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: 'Download CSV' }).click(),
    ])
    const csv = await readFile(await download.path(), 'utf8')
    assert.match(csv, /^time,edge,sessions_total:rate,upstream_reuses_total\r\n/)
    assert.match(csv, /,eu-1,[\d.]+,3\r\n/)

    const link = page.url()
    assert.match(link, /metric=upstream_reuses_total&/)
    const other = await open(link.slice(new URL(link).origin.length), { width: 375, colours: 'dark' })
    await other.page.getByRole('row', { name: 'eu-1' }).getByText('3', { exact: true }).waitFor()
    assert.equal(await pageWidth(other.page), 375)
    assert.deepEqual(await accessibilityFaults(other.page), [])
    await close(other.page)

    const chart = page.getByRole('img', { name: /^Sessions per second/ }).locator('.u-over')
    await chart.scrollIntoViewIfNeeded()
    const box = await chart.boundingBox()
    assert.ok(box)
    await page.mouse.move(box.x + box.width * 0.5, box.y + 40)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.9, box.y + 40, { steps: 4 })
    await page.mouse.up()
    await page.waitForURL(/from=20\d\d-.*to=20\d\d-/)
    await page.goBack()
    assert.equal(page.url(), link)

    await page.getByRole('img', { name: /^Sessions per second/ }).focus()
    // The newest step may have just started, with nothing reported in it yet.
    const values = page.getByRole('status').filter({ hasText: /: eu-1 ([\d.]+|nothing)/ })
    // The chart is drawn again when the answer for this address arrives.
    await until('the values of a step', async () => {
      await page.keyboard.press('ArrowLeft')
      return (await values.count()) > 0
    })
    await page.keyboard.press('+')
    await page.waitForURL(/from=20\d\d-.*to=20\d\d-/)
    const narrow = page.url()
    await page.keyboard.press('-')
    await page.waitForURL((url) => url.href !== narrow)
    await page.goto(link)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a query that cannot be answered gets a sentence that says what to do', async () => {
    const { page, offences } = await open('/history?from=-40m&step=1s')
    await page
      .getByRole('alert')
      .getByText(/use a step of at least/i)
      .waitFor()
    await page.getByLabel('Step').selectOption({ label: 'automatic' })
    await page.getByRole('img', { name: /^Sessions per second/ }).waitFor({ timeout: 90_000 })
    await page.goto('/history?metric=nonsense')
    await page
      .getByRole('alert')
      .getByText(/nonsense/)
      .waitFor()
    const labelled = (labels: string) =>
      page.goto(`/history?metric=${encodeURIComponent(`sessions_total${labels}:rate`)}`)
    await labelled('{foo="x"}')
    await page.getByLabel('foo of Sessions').selectOption('every foo')
    await page.waitForURL(/metric=sessions_total%3Arate$/)
    await labelled('{ending="bogus"}')
    await page.getByText(/^sessions_total has no ending bogus; it has /).waitFor()
    await page.goto('/history?metric=certificate_expiry_seconds')
    await page.getByLabel('owner of Expiry of certificates').fill('a}')
    await page.keyboard.press('Enter')
    assert.equal(await page.evaluate('document.activeElement.validity.customError'), true)
    assert.equal(new URL(page.url()).search, '?metric=certificate_expiry_seconds')
    await page.goto('/history')
    await page.getByLabel('Upstream', { exact: true }).selectOption('main')
    await page
      .getByRole('alert')
      .getByText(/has no label upstream: .*select no upstream/)
      .waitFor()
    await page.goto('/history?from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z')
    await page.getByText('No reports in this time range').waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('the keyboard leads out of a time range without reports, and into one of a single step', async () => {
    const { page, offences } = await open('/history?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z')
    const chart = page.getByRole('img', { name: /^Sessions per second/ })
    await page.getByText('No reports in this time range').waitFor({ timeout: 90_000 })
    await chart.focus()
    // The axis of a single step is that step.
    await page.keyboard.press('+')
    await page.waitForURL(/from=2020-01-01T00%3A00%3A00Z&to=2020-01-01T01%3A00%3A00Z$/)
    await page.keyboard.press('-')
    await page.waitForURL(/from=2019-12-31T23%3A30%3A00Z&to=2020-01-01T01%3A30%3A00Z$/)
    const answered = page.waitForResponse(/\/v1\/stats\/history\?.*from=2019-12-31T22/)
    await page.keyboard.press('-')
    await page.waitForURL(/from=2019-12-31T22%3A30%3A00Z&to=2020-01-01T02%3A30%3A00Z$/)
    await (await answered).finished()
    await page.getByText('No reports in this time range').waitFor()
    assert.match(
      String(await page.evaluate("document.activeElement.getAttribute('aria-label')")),
      /^Sessions per second/,
    )
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('+ and - work on a chart that is not drawn yet', async () => {
    const { page, offences } = await open('/history?from=2020-01-01T00:00:00Z&to=2020-01-01T01:00:00Z')
    const chart = page.getByRole('img', { name: /^Login time/ })
    await chart.locator('.uplot').waitFor()
    // All charts but the first are drawn in the next frame, or after a second without one.
    await page.evaluate(`{
      const later = setTimeout
      requestAnimationFrame = () => 0
      setTimeout = (callback, ms) => (ms === 1_000 ? 0 : later(callback, ms))
    }`)
    await page.getByRole('button', { name: '← Earlier' }).click()
    await chart.locator('.uplot').waitFor({ state: 'detached' })
    await chart.focus()
    await page.keyboard.press('-')
    await page.waitForURL(/from=2019-12-31T22%3A30%3A00Z&to=2020-01-01T00%3A30%3A00Z$/)
    await page.keyboard.press('+')
    await page.waitForURL((url) => !url.search.includes('from=2019-12-31T22%3A30%3A00Z'))
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a preset, the groups, the period before and stacking are chosen without typing, and are in the address', async () => {
    const { page, offences } = await open('/history?from=-15m')
    await page.getByText('reuse', { exact: true }).click()
    await page
      .getByRole('heading', { name: 'Reused connections per second', exact: true })
      .waitFor({ timeout: 90_000 })
    await page.getByLabel('Region', { exact: true }).selectOption('eu')
    await page.waitForURL(/region=eu/)
    assert.deepEqual(await page.getByLabel('Edge', { exact: true }).locator('option').allTextContents(), [
      'all',
      'eu-1',
    ])
    await page.getByLabel('Edge', { exact: true }).selectOption('eu-1')
    await page.getByLabel('Compare with the period before').check()
    await page.getByText('the period before', { exact: true }).first().waitFor()
    await page.getByLabel('Stacked').check()
    await page.waitForURL(/stacked=1/)
    const { searchParams } = new URL(page.url())
    assert.deepEqual(
      ['region', 'edge', 'compare', 'stacked'].map((key) => searchParams.get(key)),
      ['eu', 'eu-1', '1', '1'],
    )
    assert.equal(searchParams.getAll('metric').length, 4)
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.reload()
    await page.getByText('the period before', { exact: true }).first().waitFor()
    assert.equal(await page.getByLabel('Stacked').isChecked(), true)
    const chart = page.getByRole('img', { name: /^Reused connections per second/ }).locator('.u-over')
    await chart.scrollIntoViewIfNeeded()
    await chart.hover()
    const tip = page.locator('.chart-tip')
    await tip.getByText('eu', { exact: false }).first().waitFor()
    await page.getByRole('button', { name: '← Earlier' }).click()
    await page.waitForURL(/from=20\d\d-.*to=20\d\d-/)
    assert.deepEqual(offences, [])
    await close(page)
  })
})
