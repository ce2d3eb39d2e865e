/** The pages of the web console, with a real fleet and mail server: they show the truth, and their actions take effect. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Locator, Page } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium, pageHeading, untilLoaded } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('console: pages', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { enter, open } = consoleOfFleet((started) => {
    fleet = started
  })

  const edgeRow = (page: Page, id: string) =>
    page.getByRole('row').filter({ has: page.getByRole('link', { name: id, exact: true }) })
  /** Connected clients, also if the window is too narrow for the column. */
  const clientsOf = async (row: Locator) => await row.locator('.col-clients').textContent()
  const confirm = async (page: Page, name: string, action: string) => {
    const dialog = page.getByRole('dialog')
    const button = dialog.getByRole('button', { name: action, exact: true })
    await dialog.getByLabel(`Type ${name} to confirm`).fill(name.slice(0, -1))
    assert.equal(await button.isEnabled(), false, 'another name confirms nothing')
    await dialog.getByLabel(`Type ${name} to confirm`).fill(name)
    await button.click()
    await dialog.waitFor({ state: 'detached' })
  }

  test('the overview shows logins, how many logins at the server were avoided, and that there are no problems', async () => {
    for (let click = 0; click < 5; click++) await fleet.session(fleet.eu, fleet.alice)
    const held = await fleet.client(fleet.us)
    await held.command(`LOGIN ${fleet.bob.user} ${fleet.bob.password}`)
    const { page, offences } = await open('/?range=15m')
    await page.getByText('All 2 edges serve with the desired configuration.').waitFor()
    const eu = edgeRow(page, 'eu-1')
    await eu.getByRole('cell', { name: '80.0 %', exact: true }).waitFor()
    await edgeRow(page, 'us-1').getByRole('cell', { name: '0 %', exact: true }).waitFor()
    await page.getByText('4 logins avoided').waitFor()
    // The heartbeats.
    await eu.getByRole('img', { name: /^0 in use, 1 idle, of [\d,]+$/ }).waitFor()
    await edgeRow(page, 'us-1')
      .getByRole('img', { name: /^1 in use, 0 idle, of [\d,]+$/ })
      .waitFor()
    await until('the clients on the page', async () => {
      const [ours, theirs] = [await clientsOf(eu), await clientsOf(edgeRow(page, 'us-1'))]
      return ours === '0' && theirs === '1'
    })
    await held.kill()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a silent edge is at the top of the overview, and its figures are not shown as current', async () => {
    const { page } = await open('/')
    await page.getByText('All 2 edges serve').waitFor()
    await fleet.us.process.kill()
    await page.getByRole('region', { name: 'Problems' }).getByText('has been silent for').waitFor()
    await edgeRow(page, 'us-1').getByText('silent', { exact: true }).waitFor()
    assert.equal(await clientsOf(edgeRow(page, 'us-1')), '–')
    assert.equal(
      await edgeRow(page, 'us-1')
        .getByRole('img', { name: /in use/ })
        .count(),
      0,
    )
    await fleet.us.process.start()
    await page.getByText('All 2 edges serve').waitFor()
    await close(page)
  })

  test('a silent edge can be forgotten, and is listed again when it is back', async () => {
    const { page, offences } = await open('/edges/us-1')
    await page.getByRole('button', { name: 'Drain' }).waitFor()
    const forget = page.getByRole('button', { name: 'Forget this edge' })
    assert.equal(await forget.count(), 0, 'not while it beats')
    await fleet.us.process.kill()
    await forget.click()
    await confirm(page, 'us-1', 'Forget')
    await page.getByText('us-1 is forgotten.').waitFor()
    await page.getByText('This edge was forgotten and is in no list.').waitFor()
    await page.getByRole('button', { name: 'Drain' }).waitFor({ state: 'detached' })
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByRole('link', { name: 'Overview' }).click()
    await page.getByText('The edge serves').waitFor()
    assert.equal(await edgeRow(page, 'us-1').count(), 0)
    await fleet.us.process.start()
    await page.getByText('All 2 edges serve').waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('drain asks for the name of the edge, the edge drains, and resume ends it', async () => {
    const { page, offences } = await open('/edges/eu-1')
    await page.getByRole('button', { name: 'Drain' }).click()
    await confirm(page, 'eu-1', 'Drain')
    await page.getByText('eu-1 was told to drain').waitFor()
    await page.getByText('This edge is draining; no clients are left.').waitFor()
    const refused = await fleet.client(fleet.eu)
    await refused.rest()
    assert.ok(refused.ended)
    await page.getByRole('button', { name: 'Resume' }).first().click()
    await confirm(page, 'eu-1', 'Resume')
    await page.getByText('eu-1 accepts clients again.').waitFor()
    await until('clients to be taken', () => fleet.session(fleet.eu, fleet.alice).then(() => true))
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('purge closes idle connections, shows how many, and the details can be opened', async () => {
    await fleet.session(fleet.eu, fleet.alice)
    const { page } = await open('/edges/eu-1')
    await page.getByRole('button', { name: 'Purge' }).click()
    await confirm(page, 'eu-1', 'Purge')
    const toast = page.getByText('eu-1: closed 1 idle connection')
    await toast.waitFor()
    await page.getByRole('link', { name: 'Answers' }).click()
    await pageHeading(page, 'Order').waitFor()
    await page.getByRole('cell', { name: 'closed 1 idle connection' }).waitFor()
    await page.goto('/edges/eu-1')
    await page.getByText('There are no idle connections to close.').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Purge' }).isEnabled(), false)
    await close(page)
  })

  test('an edge offers only the actions that make sense in its state, and shows where its configuration comes from', async () => {
    const { page, offences } = await open('/edges/us-1')
    const button = (name: string) => page.getByRole('button', { name, exact: true })
    await button('Drain').waitFor()
    const server = page.getByRole('table', { name: 'Mail servers of us-1' }).getByRole('row').nth(1)
    await server.getByRole('button', { name: 'Pause' }).waitFor()
    assert.deepEqual(await server.getByRole('button').allTextContents(), ['Pause'], 'it is not paused')
    assert.equal(await button('Resume').count(), 0)
    await server.getByRole('button', { name: 'Pause' }).click()
    await confirm(page, 'main', 'Pause')
    await server.getByText('paused').waitFor()
    assert.deepEqual(await server.getByRole('button').allTextContents(), ['Resume'])
    await server.getByRole('button', { name: 'Resume' }).click()
    await server.getByText('paused').waitFor({ state: 'detached' })
    assert.deepEqual(await server.getByRole('button').allTextContents(), ['Pause'])

    await page.getByText('The fleet sets no key of this edge').waitFor()
    const revise = async (layer: unknown, usesMax: number) =>
      await fleet.api('/v1/config/revisions', {
        method: 'POST',
        body: { layer, set: { 'pool.usesMax': usesMax } },
      })
    await revise({ kind: 'global' }, 500)
    const key = page.getByRole('table', { name: 'Configuration of us-1' }).getByRole('row').nth(1)
    await key.getByRole('cell', { name: 'global' }).waitFor()
    await revise({ kind: 'region', name: 'us' }, 400)
    await key.getByRole('cell', { name: 'region/us' }).waitFor()
    await key.getByRole('cell', { name: '400' }).waitFor()

    // The navigation has links of the same names.
    const links = page.getByRole('navigation', { name: 'More about us-1' })
    await links.getByRole('link', { name: 'History' }).click()
    await page.waitForURL(/\/history\?.*edge=us-1/)
    await page.goBack()
    await links.getByRole('link', { name: 'Orders' }).click()
    await page.waitForURL(/\/orders\?edge=us-1/)
    await page.getByRole('cell', { name: 'edge us-1' }).first().waitFor()
    assert.equal(await page.getByRole('cell', { name: 'all edges' }).count(), 0)
    await page.goBack()
    for (const region of ['eu', 'us'])
      await fleet.api('/v1/traces', {
        method: 'POST',
        body: { user: `in-${region}`, region, seconds: 60, bytesMax: 1024 },
      })
    await links.getByRole('link', { name: 'Traces' }).click()
    await page.getByRole('cell', { name: 'in-us' }).waitFor()
    assert.equal(await page.getByRole('cell', { name: 'in-eu' }).count(), 0, 'it does not run on this edge')
    await page.getByRole('link', { name: 'All traces, not only those on us-1' }).click()
    await page.getByRole('cell', { name: 'in-eu' }).waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('the reasons for which connections were not reused are shown in words', async () => {
    const client = await fleet.client(fleet.eu)
    await client.command(`LOGIN ${fleet.carol.user} ${fleet.carol.password}`)
    client.send('c APPEND INBOX {100}\r\nFrom')
    await client.kill()
    const { page } = await open('/edges/eu-1')
    const reason = page.getByRole('row').filter({ hasText: 'open-literal' })
    await until('the report', async () => {
      await page.reload()
      await page.getByRole('heading', { name: 'Why connections were not reused' }).waitFor()
      await untilLoaded(page)
      return (await reason.count()) > 0
    })
    await reason.getByText('The client disconnected inside a literal.').waitFor()
    await close(page)
  })

  const limitedToken = async (name: string, limits: object, role = 'operator'): Promise<string> => {
    const { body } = await fleet.api('/v1/tokens', {
      method: 'POST',
      body: { name, role, limits },
    })
    return (body as { token: string }).token
  }

  test('a user is found at every edge and kicked; a revoked user is listed with the progress of the revocation', async () => {
    const { user, password } = fleet.bob
    const clients = await Promise.all([fleet.client(fleet.eu), fleet.client(fleet.us)])
    for (const client of clients)
      assert.equal((await client.command(`LOGIN ${user} ${password}`)).status, 'OK')
    const { page, offences } = await open('/users')
    await page.getByLabel('Login name').fill(user)
    await page.getByLabel('Login name').press('Enter')
    await page.getByText('over 2 edges: 2 in use').waitFor()
    await page.getByRole('button', { name: 'Kick' }).click()
    await confirm(page, user, 'Kick')
    await page.getByText('eu-1: ended 1 session, us-1: ended 1 session').waitFor()
    await Promise.all(clients.map((client) => client.rest()))
    assert.ok(clients.every((client) => client.ended))

    await page.getByRole('button', { name: 'Revoke …' }).click()
    const dialog = page.getByRole('dialog')
    assert.equal(await dialog.getByRole('button', { name: 'Revoke' }).isEnabled(), false)
    await dialog.getByLabel('Login name').fill(user)
    await dialog.getByLabel('Note').fill('password changed')
    await confirm(page, user, 'Revoke')
    const row = page.getByRole('table', { name: 'Revocations' }).getByRole('row').filter({ hasText: user })
    await row.getByRole('button', { name: 'Show' }).click()
    await row.getByText('eu-1, us-1 applied').waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('pages and actions that the rights exclude are not offered, and their addresses say why', async () => {
    const token = await fleet.stack.control.createToken('guest', 'viewer')
    const { page, offences } = await open('/users?user=alice', { token })
    await page.getByText('guest has the role viewer; this needs the role operator.').waitFor()
    const entries = page.getByRole('navigation', { name: 'Pages' }).getByRole('link')
    assert.deepEqual(await entries.allTextContents(), ['Overview', 'Alerts', 'History', 'Config'])
    await page.keyboard.press('Control+k')
    await page.getByRole('combobox').fill('alice@example.org')
    await page.getByText('Nothing has this name.').waitFor()
    await page.keyboard.press('Escape')
    const buttons = page.getByRole('main').getByRole('button')
    await entries.filter({ hasText: 'Overview' }).click()
    await edgeRow(page, 'eu-1').getByRole('link').click()
    await page.getByRole('table', { name: 'Mail servers of eu-1' }).waitFor()
    assert.deepEqual(await buttons.filter({ hasText: /Drain|Purge|Pause|Resume|Forget/ }).count(), 0)
    assert.equal(
      await page
        .getByRole('main')
        .getByRole('link', { name: /^(Traces|Orders)$/ })
        .count(),
      0,
    )
    await entries.filter({ hasText: 'Alerts' }).click()
    await page.getByRole('table', { name: 'Rules of alerts' }).waitFor()
    await untilLoaded(page)
    assert.equal(await buttons.filter({ hasText: /silence|Change|Acknowledge/ }).count(), 0)
    await entries.filter({ hasText: 'Config' }).click()
    await page.getByRole('region', { name: 'Revisions' }).waitFor()
    await untilLoaded(page)
    assert.equal(await buttons.filter({ hasText: /Set|Import|Change|Remove/ }).count(), 0)
    assert.deepEqual(offences, [])
    await page.goto('/edges/none')
    await page.getByText('No edge is named none').waitFor()
    await close(page)
  })

  test('someone with limits gets the pages and the layers within them', async () => {
    const ofRegion = await limitedToken('rita', { regions: ['eu'] })
    const first = await open('/config', { token: ofRegion })
    await first.page.getByRole('heading', { name: 'region/eu' }).waitFor()
    const layers = first.page.getByLabel('Layer').getByRole('option')
    // The edges follow the configuration.
    await layers.filter({ hasText: 'edge/eu-1' }).waitFor({ state: 'attached' })
    assert.deepEqual(await layers.allTextContents(), ['region/eu', 'edge/eu-1'])
    const entriesOf = async (page: Page) =>
      await page.getByRole('navigation', { name: 'Pages' }).getByRole('link').allTextContents()
    assert.deepEqual(await entriesOf(first.page), [
      'Overview',
      'Alerts',
      'History',
      'Trace',
      'Config',
      'Users',
      'Orders',
    ])
    assert.deepEqual(first.offences, [])
    await close(first.page)

    const ofDomain = await limitedToken('dora', { domains: ['example.org'] })
    const second = await open('/', { token: ofDomain })
    await second.page
      .getByText('dora is limited to domain example.org; this needs rights without a limit to domains.')
      .waitFor()
    assert.deepEqual(await entriesOf(second.page), ['Trace', 'Users', 'Orders'])
    await close(second.page)

    const ofNothing = await limitedToken('nora', { domains: ['example.org'] }, 'viewer')
    const third = await open('/', { token: ofNothing })
    await third.page.getByText('Your rights allow no page of the console').waitFor()
    assert.equal(await third.page.getByText('You may use').count(), 0)
    assert.deepEqual(await accessibilityFaults(third.page), [])
    await close(third.page)
  })

  test('a name with line breaks and control characters is shown on one line, escaped', async () => {
    const user = 'eve\r\n\u001b[2J\u202egnp'
    await fleet.api('/v1/traces', { method: 'POST', body: { user, seconds: 60, bytesMax: 1024 } })
    const { page, offences } = await open('/trace')
    await page.getByRole('link', { name: 'eve\\r\\n\\x1b[2J\\u202egnp', exact: true }).click()
    await pageHeading(page, 'Trace of eve\\r\\n\\x1b[2J\\u202egnp').waitFor()
    // The title of the tab follows that of the page.
    await until('the title', async () => (await page.title()).startsWith('Trace of eve\\r\\n'))
    await page.goto(`/users?user=${encodeURIComponent(user)}`)
    await page.getByText('eve\\r\\n\\x1b[2J\\u202egnp is not connected').waitFor()
    await page.getByRole('button', { name: 'Kick' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByLabel(/^Type eve/).fill('eve\\r\\n\\x1b[2J\\u202egnp')
    assert.equal(await dialog.getByRole('button', { name: 'Kick' }).isEnabled(), true)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('everything can be reached and done with the keyboard only', async () => {
    await fleet.session(fleet.us, fleet.alice)
    const { page, offences } = await enter('/')
    await pageHeading(page, 'Sign in').waitFor()
    // The field already has the focus.
    await page.keyboard.type(fleet.stack.token)
    await page.keyboard.press('Enter')
    await page.getByText('All 2 edges serve').waitFor()
    const focused = () => page.evaluate('document.activeElement?.textContent ?? ""')
    const tabTo = async (text: string) => {
      for (let presses = 0; presses < 40; presses++) {
        await page.keyboard.press('Tab')
        if ((await focused()) === text) return
      }
      assert.fail(`Tab does not lead to ${text}`)
    }
    await tabTo('Skip to content')
    await page.keyboard.press('Enter')
    await tabTo('us-1')
    await page.keyboard.press('Enter')
    await pageHeading(page, 'us-1').waitFor()
    // The title is drawn shortly before it gets the focus.
    await until('the focus on the title of the new page', async () => (await focused()) === 'us-1')
    await page.getByText(/^Close \d+ idle connections?;/).waitFor()
    await tabTo('Purge')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog').waitFor()
    await page.keyboard.press('Escape')
    // Not found by its role: it is hidden shortly before it is removed, and still receives keys then.
    await page.locator('dialog').waitFor({ state: 'detached' })
    await until('the focus where it was before the dialog', async () => (await focused()) === 'Purge')
    await page.keyboard.press('Enter')
    await page.getByLabel('Type us-1 to confirm').waitFor()
    await page.keyboard.type('us-1')
    await page.keyboard.press('Enter')
    await page.getByText(/us-1: closed \d+ idle connections?/).waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  for (const colours of ['light', 'dark'] as const)
    test(`every page fits 375 px and is accessible, in ${colours}`, async () => {
      const { page, offences } = await open('/', { width: 375, colours })
      const order = await fleet.api('/v1/orders', { method: 'POST', body: { action: { kind: 'version' } } })
      const { id } = order.body as { id: string }
      const pages: [path: string, seen: string][] = [
        ['/', 'eu-1'],
        ['/edges/eu-1', 'Mail servers'],
        ['/users?everybody=1', 'Revocations'],
        ['/orders', 'show the version'],
        [`/orders/${id}`, 'Edges'],
        ['/audit', 'token.create'],
        ['/nowhere', 'No page at /nowhere'],
      ]
      for (const [path, seen] of pages) {
        await page.goto(path)
        await page.getByText(seen).first().waitFor()
        await untilLoaded(page)
        const headings = await page.getByRole('heading').allTextContents()
        assert.equal(
          new Set(headings).size,
          headings.length,
          `${path} repeats a heading: ${headings.join(', ')}`,
        )
        const width = await pageWidth(page)
        assert.equal(width, 375, `${path} is ${width} px wide`)
        assert.deepEqual(await accessibilityFaults(page), [], path)
      }
      await page.getByRole('button', { name: 'Menu' }).click()
      await page.getByRole('link', { name: 'Users' }).click()
      await pageHeading(page, 'Users').waitFor()
      await page.getByRole('button', { name: 'Revoke …' }).click()
      await page.getByRole('dialog').waitFor()
      assert.deepEqual(await accessibilityFaults(page), [], 'the dialog')
      assert.deepEqual(offences, [])
      await close(page)
    })

  test('the chosen colours are kept', async () => {
    const { page } = await open('/', { colours: 'light' })
    const ground = () => page.evaluate('getComputedStyle(document.body).backgroundColor')
    const light = await ground()
    await page.getByLabel('dark', { exact: true }).check({ force: true })
    const dark = await ground()
    assert.notEqual(dark, light)
    await page.reload()
    await pageHeading(page, 'Overview').waitFor()
    assert.equal(await ground(), dark)
    await close(page)
  })
})
