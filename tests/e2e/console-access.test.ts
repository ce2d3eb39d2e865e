/** The page Access of the web console: tokens and credentials that it makes work, and revoked ones do not. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { EnrolmentView, TokenView } from '@imapfleet/api'
import type { Browser } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { launchBrowser, noChromium, openPage, pageHeading, signInOnPage } from '../support/browser.ts'
import { close, pageWidth } from '../support/console.ts'
import { Plane } from '../support/plane.ts'

suite('console: access', { skip: noChromium }, () => {
  let plane: Plane
  let browser: Browser
  before(async () => {
    ;[plane, browser] = await Promise.all([Plane.start({ perEdge: true }), launchBrowser()])
  })
  after(async () => {
    await browser?.close()
    await plane?.stop()
  })
  const open = async (width = 1280) => {
    const watched = await openPage(browser, plane.control.api, { width })
    await watched.page.goto('/access')
    await signInOnPage(watched.page, plane.token)
    await pageHeading(watched.page, 'Access').waitFor()
    return watched
  }

  test('a token is made with role, limits and expiry, shown once, and works until it is revoked', async () => {
    const { page, offences } = await open()
    await page.getByRole('button', { name: 'New token' }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByRole('button', { name: 'Make' }).isEnabled(), false)
    await dialog.getByLabel('Name').fill('ann')
    const useless = dialog.getByText('This token can open no page of the console')
    await dialog.getByLabel('Only users of domains').fill('example.org')
    await useless.waitFor()
    await dialog.getByLabel('Only users of domains').fill('')
    await useless.waitFor({ state: 'detached' })
    await dialog.getByLabel('Role').selectOption('admin')
    await dialog.getByLabel('Valid for').selectOption('1 day')
    await dialog.getByLabel('Only regions').fill('eu, us')
    await dialog.getByRole('button', { name: 'Make' }).click()
    await dialog.getByText(/must be viewer or operator/).waitFor()
    await dialog.getByLabel('Role').selectOption('operator')
    assert.deepEqual(await accessibilityFaults(page), [])
    await dialog.getByRole('button', { name: 'Make' }).click()
    const secret = page.getByRole('dialog', { name: 'The token of ann' })
    const token = (await secret.locator('pre').textContent()) ?? ''
    assert.deepEqual(await accessibilityFaults(page), [])
    await secret.getByRole('button', { name: 'Done' }).click()
    await secret.waitFor({ state: 'detached' })
    assert.equal((await plane.api('/v1/edges', { token })).status, 200)
    const row = page.getByRole('row').filter({ has: page.getByRole('link', { name: 'ann' }) })
    await row.getByText('operator, regions eu and us').waitFor()
    await row.getByText(/left$/).waitFor()
    assert.equal(await page.getByText(token).count(), 0)
    const { tokens } = (await plane.api('/v1/tokens')).body as { tokens: TokenView[] }
    const made = tokens.find(({ name }) => name === 'ann')
    const lifeMs = Date.parse(made?.expiresAt ?? '') - Date.parse(made?.createdAt ?? '')
    assert.ok(Math.abs(lifeMs - 86_400_000) < 60_000, `${lifeMs}`)

    await page.getByRole('button', { name: 'Revoke the token of ann' }).click()
    await dialog.getByLabel('Type ann to confirm').fill('ann')
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('The token of ann is revoked.').waitFor()
    await row.waitFor({ state: 'detached' })
    assert.equal((await plane.api('/v1/edges', { token })).status, 401)
    await page.getByRole('group', { name: 'Tokens to show' }).getByText('all').click()
    await row.getByText('revoked').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('an edge is enrolled with an expiry, its credential is saved as a file, and can be revoked', async () => {
    const { page, offences } = await open(375)
    await page.getByText('No valid credential here').waitFor()
    await page.getByRole('button', { name: 'Enrol an edge' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Edge').fill('eu-3')
    await dialog.getByLabel('Region').fill('eu')
    await dialog.getByLabel('Valid for').selectOption('90 days')
    await dialog.getByRole('button', { name: 'Enrol' }).click()
    const secret = page.getByRole('dialog', { name: 'The credential of eu-3' })
    await secret.getByText('BEGIN NATS USER JWT').waitFor()
    const download = page.waitForEvent('download')
    await secret.getByRole('button', { name: 'Save as a file' }).click()
    assert.equal((await download).suggestedFilename(), 'eu-3.creds')
    await secret.getByRole('button', { name: 'Done' }).click()
    const table = page.getByRole('table', { name: 'Enrolments' })
    await table.getByRole('link', { name: 'eu-3' }).waitFor()
    const enrolment = async () =>
      ((await plane.api('/v1/enrolments')).body as { enrolments: EnrolmentView[] }).enrolments[0]
    const days = (Date.parse((await enrolment())?.expiresAt ?? '') - Date.now()) / 86_400_000
    assert.ok(days > 89 && days <= 90, `${days}`)
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])

    await page.getByRole('button', { name: 'Revoke the credential of eu-3' }).click()
    await dialog.getByLabel('Type eu-3 to confirm').fill('eu-3')
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('The credential of eu-3 is revoked.').waitFor()
    assert.notEqual((await enrolment())?.revokedAt, null)
    assert.deepEqual(offences, [])
    await close(page)
  })
})
