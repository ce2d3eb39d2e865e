/** Wrong addresses of the web console: each gets a page that says what is wrong, and fits a narrow window. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium, pageHeading } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'

suite('console: addresses', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { open } = consoleOfFleet((started) => {
    fleet = started
  })

  test('a long name breaks into lines instead of widening the page', async () => {
    const { page, offences } = await open('/', { width: 375 })
    const long = 'x'.repeat(900)
    for (const [path, words] of [
      [`/users?user=${long}`, 'is not connected'],
      [`/history?metric=${long}`, 'No metric is named'],
      [`/config?layer=region/${long}`, 'No edge is in the region'],
      [`/edges/${long}`, 'must be at most 200 characters'],
      [`/audit?actor=${long}`, 'must be at most 200 characters'],
      [`/${long}`, 'No page at'],
    ] as const) {
      await page.goto(path)
      await page.getByText(words).first().waitFor()
      assert.equal(await pageWidth(page), 375, path.slice(0, 40))
    }
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('what is no number of a revision has no page, and messages name pages instead of routes', async () => {
    const { page, offences } = await open('/config/1e3')
    for (const path of ['/config/1e3', '/config/-1', '/config/abc']) {
      await page.goto(path)
      await pageHeading(page, 'No such page').waitFor()
    }
    await page.goto('/config/99999')
    await page.getByText('No revision has the number 99999: the page Config lists all revisions.').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Restore …' }).count(), 0)
    assert.equal(await page.getByRole('button', { name: 'Undo …' }).count(), 0)
    await page.goto('/edges/nosuch')
    await page.getByText('No edge is named nosuch: the page Overview lists all edges.').waitFor()
    await page.getByText('Not found', { exact: true }).waitFor()
    assert.equal(await page.getByText('Loading failed').count(), 0)
    await page.goto('/orders/nosuch')
    await page.getByText('id must be a UUID').waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a page that the token does not allow says so, without offering to try again', async () => {
    const token = await fleet.stack.control.createToken('vera', 'viewer')
    const { page, offences } = await open('/audit', { token, width: 375 })
    await page.getByText('Not allowed', { exact: true }).waitFor()
    await page.getByText('vera has the role viewer; this needs the role admin.').waitFor()
    await page.getByRole('main').getByRole('link', { name: 'Overview' }).waitFor()
    assert.equal(await page.getByRole('button', { name: 'Try again' }).count(), 0)
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('the last metric of a history can be removed, and the address says so', async () => {
    const { page, offences } = await open('/history?metric=clients_connected')
    await page.getByRole('button', { name: 'Remove Connected clients' }).click()
    await page.getByText('No metric selected').waitFor()
    await page.reload()
    await page.getByText('No metric selected').waitFor()
    await page.getByText('summary', { exact: true }).click()
    await page.getByRole('button', { name: 'Remove Connected clients' }).waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('in a narrow window a single figure is in line with the other values', async () => {
    const held = await fleet.client(fleet.eu)
    await held.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)
    const { page } = await open(`/users?user=${fleet.bob.user}`, { width: 375 })
    const valueOf = (label: string) => page.locator(`td[data-label="${label}"] > div`).first().boundingBox()
    await page.getByRole('table', { name: 'Connections' }).waitFor()
    const [single, text] = [await valueOf('Session for'), await valueOf('Mail server')]
    assert.ok(single && text)
    assert.equal(single.x, text.x)
    await held.kill()
    await close(page)
  })
})
