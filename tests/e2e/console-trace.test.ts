/** The trace pages of the web console: a user is traced live while a real client reads mail. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { suite, test } from 'node:test'
import { ImapFlow } from 'imapflow'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium, pageHeading } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('console: trace', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { open } = consoleOfFleet((started) => {
    fleet = started
  })

  /** A real client reads the newest mail of alice at an edge. */
  const readMail = async ({ imapPort }: { imapPort: number }) => {
    const { user, password } = fleet.alice
    const client = new ImapFlow({
      ...{ host: '127.0.0.1', port: imapPort, secure: false, logger: false },
      auth: { user, pass: password },
    })
    await client.connect()
    await client.mailboxOpen('INBOX')
    const mail = await client.fetchOne('*', { source: true })
    await client.logout()
    return mail === false ? '' : (mail.source?.toString() ?? '')
  }

  test('a live trace survives an outage of control; it is then stopped, kept and downloaded', async () => {
    const { page, offences } = await open('/trace')
    await page.getByText('No traces yet').waitFor()
    await page.getByRole('button', { name: 'Trace a user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Login names').fill(fleet.alice.user)
    await dialog.getByLabel('Duration').selectOption({ label: '1 hour' })
    await dialog.getByRole('button', { name: 'Start' }).click()
    await pageHeading(page, `Trace of ${fleet.alice.user}`).waitFor()
    await page.getByText('live', { exact: true }).waitFor()
    await page.getByText('eu-1, us-1 tracing').waitFor()

    const mail = await readMail(fleet.eu)
    assert.ok(mail.length > 100)
    const log = page.getByRole('log')
    await log
      .getByText(/S: .*LOGOUT|session ended: logout/)
      .first()
      .waitFor()
    const said = (await log.textContent()) ?? ''
    assert.match(said, /C: .*SELECT/)
    assert.match(said, /C: .*FETCH/)
    assert.ok(!said.includes(fleet.alice.password), 'a password is shown')
    assert.ok(!said.includes(mail.slice(-60).trim()), 'what is in a mail is shown')
    await page.getByLabel('Filter').fill('SELECT')
    await log
      .getByText(/C: .*SELECT/)
      .first()
      .waitFor()
    await log.getByText('session ended').first().waitFor({ state: 'detached' })
    await page.getByLabel('Filter').fill('')
    assert.deepEqual(await accessibilityFaults(page), [])

    await fleet.stack.control.process.kill()
    await page.getByText(/Connection lost at .*, reconnecting/).waitFor()
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
    // The browser reports the outage of the server, which is not an error of the page.
    assert.deepEqual(
      offences.filter((offence) => !/ERR_|Failed to load/.test(offence)),
      [],
    )
    await close(page)
  })

  test('on a small screen, scrolling up holds the lines, one session can be selected, and an error of a proxy does not end the trace', async () => {
    const { page } = await open(`/trace?user=${fleet.alice.user}`, { width: 375, colours: 'dark' })
    await page.getByRole('dialog').getByRole('button', { name: 'Start' }).click()
    await page.getByText('eu-1, us-1 tracing').waitFor()
    const log = page.getByRole('log')
    const ended = log.getByText('session ended: logout')
    await readMail(fleet.eu)
    await ended.first().waitFor()
    const follow = page.getByLabel('Follow')
    await log.evaluate((box) => box.scrollTo(0, 0))
    await until('the lines to be held', async () => !(await follow.isChecked()))

    // Like a load balancer while all replicas behind it are replaced.
    await page.route('**/live', (route) => route.fulfill({ status: 502, body: 'Bad Gateway' }))
    await fleet.stack.control.process.kill()
    await fleet.stack.control.process.start()
    await page.getByText(/Connection lost at/).waitFor()
    await readMail(fleet.us)
    await page.unroute('**/live')
    await page.getByText('live', { exact: true }).waitFor()
    await log
      .locator('.trace-line')
      .filter({ hasText: 'us-1' })
      .filter({ hasText: 'session ended: logout' })
      .waitFor()
    assert.equal(await ended.count(), 2, 'lines are shown once')
    assert.equal(await log.evaluate((box) => box.scrollTop), 0)
    await page.getByRole('button', { name: /new lines/ }).click()
    await until('the end in sight', async () => await follow.isChecked())

    await log.getByTitle('Show this session only').last().click()
    await until('one session', async () => (await ended.count()) === 1)
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await close(page)
  })

  test('a second attempt starts only users who are not traced yet, also if only the answer was lost, and names the others', async () => {
    const { page, offences } = await open('/trace', { width: 375 })
    const tracesOf = async (user: string) => {
      const { traces } = (await fleet.api('/v1/traces?limit=200')).body as { traces: { user: string }[] }
      return traces.filter((trace) => trace.user === user).length
    }
    // As many as the client makes for one request.
    const attempts = 3
    let lost = 0
    await page.route('**/v1/traces', async (route) => {
      const isOfErin = route.request().postData()?.includes('erin@example.org') ?? false
      if (!isOfErin || lost === attempts) return await route.continue()
      // Control did it, but every response is lost.
      await route.fetch()
      lost += 1
      await route.abort()
    })
    await page.getByRole('button', { name: 'Trace a user' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel('Login names').fill('dave@example.org erin@example.org frank@example.org')
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.getByRole('alert').getByText('Control does not answer').waitFor()
    await dialog.getByText('Already being traced: dave@example.org. Start starts the others.').waitFor()
    assert.equal(lost, attempts)
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await dialog.getByRole('button', { name: 'Start' }).click()
    await dialog.waitFor({ state: 'detached' })
    for (const user of ['dave', 'erin', 'frank']) {
      await page
        .getByRole('row', { name: `${user}@example.org` })
        .getByText('running')
        .waitFor()
      assert.equal(await tracesOf(`${user}@example.org`), 1, `${user} is traced once`)
    }
    assert.deepEqual(
      offences.filter((offence) => !/ERR_|Failed to load/.test(offence)),
      [],
    )
    await close(page)
  })

  test('the list shows that another person starts or ends a trace, without reloading the page', async () => {
    const { page } = await open('/trace')
    await page.getByRole('table', { name: 'Traces' }).waitFor()
    const body = { user: 'grace@example.org', seconds: 600 }
    const { id } = (await fleet.api('/v1/traces', { method: 'POST', body })).body as { id: string }
    const row = page.getByRole('row', { name: 'grace@example.org' })
    await row.getByText('running').waitFor()
    assert.equal((await fleet.api(`/v1/traces/${id}`, { method: 'DELETE' })).status, 200)
    await row.getByText('ended').waitFor()
    await close(page)
  })
})
