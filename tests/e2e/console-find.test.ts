/** Finding things in the web console: Ctrl-K, users of the whole fleet, and the audit log, with a real fleet. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import type { AuditEntry } from '@imapfleet/api'
import type { Page } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium, pageHeading } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('console: find', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { open } = consoleOfFleet((started) => {
    fleet = started
  })
  const jump = (page: Page) => page.getByRole('dialog', { name: 'Jump to' })
  const option = (page: Page) => jump(page).getByRole('option')

  test('Ctrl-K jumps to a page, an edge, a revision and a user, with the keyboard alone', async () => {
    const note = 'found by its note'
    const body = { layer: { kind: 'global' }, set: { 'pool.usesMax': 500 }, note }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body })).status, 201)
    const { page, offences } = await open('/')
    await pageHeading(page, 'Overview').waitFor()
    const go = async (text: string, first: RegExp) => {
      await page.keyboard.press('Control+k')
      await jump(page).waitFor()
      await page.keyboard.type(text)
      await option(page).first().getByText(first).waitFor()
      await page.keyboard.press('Enter')
      await jump(page).waitFor({ state: 'detached' })
    }
    await go('us-1', /^us-1$/)
    await pageHeading(page, 'us-1').waitFor()
    await go('its note', /^Revision 1$/)
    await pageHeading(page, 'Revision 1').waitFor()
    await go('audi', /^Audit$/)
    await pageHeading(page, 'Audit').waitFor()
    await go('zoe@example.org', /^zoe@example\.org$/)
    await page.getByText('zoe@example.org is not connected').waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('Enter waits for edges that are still being loaded, and finds pages and users if they cannot be loaded', async () => {
    const { page, offences } = await open('/orders')
    await pageHeading(page, 'Orders').waitFor()
    const loading = Promise.withResolvers<void>()
    await page.route('**/v1/edges*', async (route) => {
      await loading.promise
      await route.continue()
    })
    await page.keyboard.press('Control+k')
    await jump(page).waitFor()
    await page.keyboard.type('us-1')
    await page.keyboard.press('Enter')
    await jump(page).getByRole('status').waitFor()
    loading.resolve()
    await pageHeading(page, 'us-1').waitFor()
    await page.unroute('**/v1/edges*')
    assert.deepEqual(offences, [])
    await page.route('**/v1/edges*', (route) =>
      route.fulfill({ status: 500, contentType: 'application/problem+json', body: '{}' }),
    )
    await page.keyboard.press('Control+k')
    await jump(page).getByRole('alert').waitFor()
    await page.keyboard.type('us-1')
    await page.keyboard.press('Enter')
    await page.getByText('us-1 is not connected').waitFor()
    await close(page)
  })

  test('the list of places is moved through with the arrow keys, closed with Escape, and accessible', async () => {
    for (const look of [{ colours: 'light' }, { colours: 'dark', width: 375 }] as const) {
      const { page, offences } = await open('/orders', look)
      await pageHeading(page, 'Orders').waitFor()
      // The page has no search field.
      await page.keyboard.press('/')
      await jump(page).waitFor()
      assert.deepEqual(await accessibilityFaults(page), [])
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('ArrowDown')
      await page.keyboard.press('ArrowUp')
      assert.equal(await option(page).nth(1).getAttribute('aria-selected'), 'true')
      await page.keyboard.press('ArrowUp')
      await page.keyboard.press('ArrowUp')
      assert.equal(await option(page).last().getAttribute('aria-selected'), 'true')
      await page.keyboard.press('Escape')
      await page.locator('dialog').waitFor({ state: 'detached' })
      assert.equal(new URL(page.url()).pathname, '/orders')
      assert.equal(await pageWidth(page), look.colours === 'dark' ? 375 : 1280)
      await page.getByRole('button', { name: 'Jump to' }).click()
      await option(page).filter({ hasText: 'History' }).click()
      await pageHeading(page, 'History').waitFor()
      assert.deepEqual(offences, [])
      await close(page)
    }
  })

  test('all users are one row each, sorted and filtered, and a session shows its age, bytes and last command', async () => {
    const held = await Promise.all([fleet.client(fleet.eu), fleet.client(fleet.us)])
    for (const client of held) {
      await client.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)
      await client.command('SELECT INBOX')
      await client.command('FETCH 1:* (FLAGS BODY.PEEK[])')
    }
    await fleet.session(fleet.eu, fleet.alice)
    const { page, offences } = await open('/users')
    await page.getByRole('button', { name: 'All users' }).click()
    const rows = page.locator('.users-table .rows tr')
    await rows.first().waitFor()
    const names = async () => await rows.locator('.col-name').allTextContents()
    const cells = async (row: number) => (await rows.nth(row).getByRole('cell').allTextContents()).slice(1, 4)
    await until('both users with their connections', async () => {
      // A second click would give up the first request.
      const answered = page.waitForResponse('**/v1/orders')
      await page.getByRole('button', { name: 'Refresh' }).click()
      await (await answered).finished()
      assert.equal((await names()).join(' '), `${fleet.bob.user} ${fleet.alice.user}`)
      assert.deepEqual(
        [await cells(0), await cells(1)],
        [
          ['2', '0', '2'],
          ['0', '1', '1'],
        ],
      )
      return true
    })
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByRole('button', { name: 'User', exact: true }).click()
    await until('the other order', async () => (await names())[0] === fleet.alice.user)
    await page.keyboard.press('/')
    await page.keyboard.type('us-1')
    await until('users of us-1', async () => (await names()).join(' ') === fleet.bob.user)
    assert.deepEqual(await cells(0), ['1', '0', '1'])

    await rows.first().getByRole('link').click()
    const table = page.getByRole('table', { name: 'Connections' })
    const session = table.getByRole('row').filter({ hasText: 'eu-1' })
    await session.getByText('FETCH', { exact: true }).waitFor()
    const text = await session.getByRole('cell').allTextContents()
    assert.match(text[4] ?? '', /^\d+ s$/, 'its age')
    assert.match(text[6] ?? '', /^\d+ B$/, 'bytes of the client')
    assert.match(text[7] ?? '', /^[\d.,]+ \w+$/, 'bytes of the server')
    assert.notEqual(text[7], '0 B')
    assert.deepEqual(await accessibilityFaults(page), [])
    for (const client of held) await client.kill()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('the users fit 375 px', async () => {
    await fleet.session(fleet.eu, fleet.alice)
    const { page } = await open('/users?everybody=1', { width: 375, colours: 'dark' })
    await page.locator('.users-table .rows tr').first().waitFor()
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await close(page)
  })

  test('the audit log is filtered by actor, action, target and time, and exactly what is filtered is exported', async () => {
    const drain = { target: { kind: 'edge', name: 'us-1' } }
    for (const path of ['/v1/edges/drain', '/v1/edges/resume'])
      assert.equal((await fleet.api(path, { method: 'POST', body: drain })).status, 200)
    const { page, offences } = await open('/audit?target=US-1')
    const rows = page.getByRole('table', { name: 'Audit log' }).getByRole('row')
    await page.getByRole('cell', { name: 'edges.drain' }).waitFor()
    assert.equal(await page.getByRole('cell', { name: 'token.create' }).count(), 0)
    await page.getByLabel('What').fill('edges.resume')
    await page.getByLabel('What').press('Enter')
    await page.getByRole('cell', { name: 'edges.drain' }).waitFor({ state: 'detached' })
    await page.getByLabel('Time').focus()
    await page.getByLabel('Time').selectOption('1 hour')
    await page.waitForURL(/from=-1h/)
    await until('one entry', async () => (await rows.count()) === 2)
    assert.equal(await page.evaluate('document.activeElement.labels[0].textContent'), 'Time')
    assert.deepEqual(await accessibilityFaults(page), [])

    const exported = async (form: string) => {
      const download = page.waitForEvent('download')
      await page.getByRole('button', { name: `Export ${form}` }).click()
      return await readFile(await (await download).path(), 'utf8')
    }
    const entries = JSON.parse(await exported('JSON')) as AuditEntry[]
    assert.deepEqual(
      entries.map(({ action }) => action),
      ['edges.resume'],
    )
    const lines = (await exported('CSV')).trimEnd().split('\r\n')
    assert.equal(lines.length, 2)
    assert.match(lines[1] ?? '', /edges\.resume,.*us-1/)

    await page.getByLabel('Time').selectOption('from and to')
    await page.getByLabel('To', { exact: true }).fill('2001-02-03T04:05:06')
    await page.getByLabel('To', { exact: true }).press('Tab')
    await page.getByText('No entries match').waitFor()
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByRole('cell', { name: 'token.create' }).first().waitFor()
    assert.equal(new URL(page.url()).search, '')
    assert.deepEqual(offences, [])
    await close(page)
  })
})
