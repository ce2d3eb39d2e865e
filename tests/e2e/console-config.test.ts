/** The configuration pages of the web console: real edges run what is saved, and mistakes are not saved. */
import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import type { Page } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { noChromium, pageHeading } from '../support/browser.ts'
import { close, consoleOfFleet, pageWidth } from '../support/console.ts'
import type { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

suite('console: config', { skip: noChromium }, () => {
  let fleet: TestFleet
  const { open } = consoleOfFleet((started) => {
    fleet = started
  })

  const setKey = async (page: Page, key: string, value: string) => {
    await page.getByRole('button', { name: 'Set a key' }).click()
    await page.getByLabel('Key', { exact: true }).fill(key)
    await page.getByLabel('Value', { exact: true }).fill(value)
  }
  const write = async (page: Page, note: string) => {
    await page.getByRole('button', { name: 'Write …' }).click()
    await page.getByRole('dialog').getByLabel('Note').fill(note)
    await page.getByRole('dialog').getByRole('button', { name: 'Write', exact: true }).click()
  }

  test('a key of a region is checked while typing, shown as a difference, saved, and applied by its edge only', async () => {
    const { page, offences } = await open('/config')
    await page.getByText('No revisions yet').waitFor()
    await page.getByLabel('Layer').selectOption('region/eu')
    await setKey(page, 'pool.idleTimeoutMs', '7')
    await page.getByText('pool.idleTimeoutMs must be at least 1000, not 7').waitFor()
    assert.equal(await page.getByRole('button', { name: 'Write …' }).isEnabled(), false)
    await page.getByLabel('Value', { exact: true }).fill('60000')
    await page.getByLabel('Changes', { exact: true }).getByText('+ 60000').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await write(page, 'shorter for a while')
    await pageHeading(page, 'Revision 1').waitFor()
    await page.getByRole('row', { name: 'eu-1' }).getByText('applied').waitFor()
    assert.equal(await page.getByRole('row', { name: 'us-1' }).count(), 0)
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('the second writer sees what the first wrote, keeps the typed changes, and applies them on top', async () => {
    const { page } = await open('/config?layer=global')
    await setKey(page, 'pool.usesMax', '50')
    await page.getByLabel('Changes', { exact: true }).getByText('+ 50').waitFor()
    await page.getByRole('button', { name: 'Write …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText(/^It goes to (eu-1, us-1|us-1, eu-1) immediately/).waitFor()
    const other = { layer: { kind: 'global' }, set: { 'pool.usesMax': 40 }, note: 'first' }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body: other })).status, 201)
    await dialog.getByRole('button', { name: 'Write', exact: true }).click()
    await dialog.getByText('is based on revision 1, but the newest is 2').waitFor()
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('The configuration has changed').waitFor()
    await page.getByText(/Revision 2 of global, by .*: first/).waitFor()
    await page.getByText('Your changes also set pool.usesMax.').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])

    await page.getByRole('link', { name: 'Audit' }).click()
    await pageHeading(page, 'Audit').waitFor()
    await page.goBack()
    await page.getByRole('button', { name: 'Apply mine on top of revision 2' }).click()
    const difference = page.getByLabel('Changes', { exact: true })
    await difference.getByText('− 40').waitFor()
    await difference.getByText('+ 50').waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await page.getByRole('row', { name: 'pool.usesMax' }).getByRole('button', { name: 'Remove' }).click()
    await difference.getByText('− 40').waitFor()
    await close(page)
  })

  test('a key that waits for a restart is marked, and the reason for which an edge refused a revision is shown', async () => {
    const { page, offences } = await open('/config?layer=edge/us-1')
    await setKey(page, 'upstreams.main.masterUser', 'master')
    await page.getByRole('button', { name: 'Another key' }).click()
    await page.getByLabel('Key', { exact: true }).nth(1).fill('log.format')
    await page.getByText('takes effect after a restart').waitFor()
    await page.getByLabel('Value', { exact: true }).nth(1).selectOption('json')
    await page.getByRole('button', { name: 'Write …' }).click()
    await page.getByText('log.format: takes effect when each edge restarts.').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Write', exact: true }).click()
    const row = page.getByRole('row', { name: 'us-1' })
    await row.getByText('rejected').waitFor()
    await row.getByText(/masterUser needs/).waitFor()
    assert.deepEqual(offences, [])
    await close(page)
    const back = { layer: { kind: 'edge', name: 'us-1' }, unset: ['upstreams.main.masterUser', 'log.format'] }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body: back })).status, 201)
  })

  test('an imapproxy.conf becomes a draft with a report of its lines, and mistakes are shown with their lines', async () => {
    const { page, offences } = await open('/config?layer=region/eu', { width: 375 })
    await page.getByRole('button', { name: 'Import …' }).click()
    const dialog = page.getByRole('dialog')
    const text = dialog.getByLabel('Or paste its text')
    await text.fill('cache_size 64\ncache_expiration_time soon\nproc_username mail\n')
    await dialog.getByText(/cache_expiration_time .*line 2/).waitFor()
    assert.equal(await dialog.getByRole('button', { name: 'Add to draft' }).isEnabled(), false)
    await text.fill('server_hostname localhost\ncache_expiration_time 240\nproc_username mail\n')
    await dialog.getByText('pool.idleTimeoutMs: 240000').waitFor()
    await dialog.getByText(/keep them in the file of each host: .*process\.user/).waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await dialog.getByRole('button', { name: 'Add to draft' }).click()
    await page.getByLabel('Changes', { exact: true }).getByText('+ 240000').waitFor()
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a rollout is shown wave by wave, is paused, resumed, aborted and completed, and its layer can be restored', async () => {
    const { page } = await open('/config', { width: 375, colours: 'dark' })
    await setKey(page, 'pool.usesMax', '77')
    await page.getByLabel('Changes', { exact: true }).getByText('+ 77').waitFor()
    assert.equal(await pageWidth(page), 375)
    await page.getByRole('button', { name: 'Write …' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByText('in waves').click()
    const canaries = dialog.getByLabel('First wave: these edges')
    const pick = dialog.getByRole('group', { name: 'Edges to choose from' })
    await pick.getByLabel('eu-1').waitFor()
    // From here on, requests that name an unknown edge are recorded.
    const sent: string[] = []
    page.on('request', (request) => sent.push(request.postData() ?? ''))
    await canaries.fill('us-9')
    await dialog.getByText('us-9 is not an edge of this layer: choose from the list below.').waitFor()
    assert.equal(await dialog.getByRole('button', { name: 'Write', exact: true }).isEnabled(), false)
    assert.deepEqual(await accessibilityFaults(page), [])
    await canaries.fill('us')
    await until('those that it may become', async () => (await pick.getByRole('checkbox').count()) === 1)
    await canaries.press('Tab')
    await page.keyboard.press('Space')
    await until('the name as a whole', async () => (await canaries.inputValue()) === 'us-1')
    assert.ok(await pick.getByLabel('us-1').isChecked())
    assert.equal(await pick.getByRole('checkbox').count(), 2)
    await dialog.getByLabel('First wave: share in %').fill('0')
    // So long that it does not end while this test looks at it.
    await dialog.getByLabel('Soak time in seconds').fill('3600')
    await dialog.getByText('canary: us-1').waitFor()
    assert.deepEqual(
      sent.filter((body) => /"us(-9)?"/.test(body)),
      [],
      'no unknown edge is sent',
    )
    await dialog.getByText('eu: eu-1').waitFor()
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await dialog.getByRole('button', { name: 'Write', exact: true }).click()
    await pageHeading(page, 'Revision 5').waitFor()
    const other = await open('/config?layer=region/eu')
    await other.page.getByText('Revision 5 of global is being rolled out').waitFor()
    await other.page
      .getByText('Keys of this layer as of revision 5; those from global as before the rollout of revision 5')
      .waitFor()
    await other.page.getByText('Its keys override those of the rollout').waitFor()
    assert.equal(await other.page.getByText('Nothing is set here').count(), 0)
    const canSet = async () => await other.page.getByRole('button', { name: 'Set a key' }).isEnabled()
    assert.equal(await canSet(), true)
    await other.page.getByLabel('Layer').selectOption('global')
    await other.page.getByText('on the edges that the rollout of revision 5 has not reached').waitFor()
    await other.page.getByText('Revision 5 changes on the edges that its rollout has reached').waitFor()
    await other.page.getByLabel('Changes', { exact: true }).getByText('+ 77').waitFor()
    // The layer of the rollout cannot be written, and is not offered to be.
    assert.equal(await canSet(), false)
    for (const name of ['Import …', 'Change', 'Remove'])
      assert.equal(
        await other.page.getByRole('button', { name, exact: true }).first().isEnabled(),
        false,
        name,
      )
    await other.page.getByText('YAML', { exact: true }).click()
    assert.equal(await other.page.getByLabel('Layer as YAML').isEditable(), false)
    assert.deepEqual(await accessibilityFaults(other.page), [])
    await other.page.goto('/config/2')
    await other.page.getByRole('button', { name: 'Restore …' }).click()
    await other.page
      .getByText(
        'This layer can be written when the rollout has ended: revision 5 of global is being rolled out.',
      )
      .waitFor()
    assert.equal(await other.page.getByRole('button', { name: 'Write', exact: true }).isEnabled(), false)
    await other.page.getByRole('button', { name: 'Cancel' }).click()
    await other.page.getByRole('link', { name: 'Overview' }).click()
    await other.page.getByRole('region', { name: 'Under way' }).getByText('Rollout of revision 5').waitFor()
    await close(other.page)
    const judged = page.getByRole('table', { name: 'Failures by which the rollout is judged' })
    await judged.getByRole('row').filter({ hasText: 'Failed logins' }).getByText('too few to judge').waitFor()
    await page
      .getByRole('timer')
      .getByText(/the wave eu starts|Edges are applying the revision/)
      .waitFor()
    await page.getByRole('button', { name: 'Pause' }).click()
    await page.getByText('paused', { exact: true }).waitFor()
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByRole('button', { name: 'Resume' }).click()
    await page.getByText('running', { exact: true }).waitFor()
    await page.getByRole('button', { name: 'Abort' }).click()
    await dialog.getByRole('button', { name: 'Abort' }).click()
    await page.getByText('aborted', { exact: true }).waitFor()
    const again = {
      layer: { kind: 'global' },
      set: { 'pool.usesMax': 77 },
      rollout: { canaryEdges: ['us-1'], soakSeconds: 0 },
    }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body: again })).status, 201)
    await page.goto('/config/7')
    await page.getByText('completed', { exact: true }).waitFor({ timeout: 60_000 })
    const resolved = async () =>
      ((await fleet.api('/v1/config/resolved?edge=eu-1')).body as { layer: { pool: { usesMax: number } } })
        .layer.pool.usesMax
    assert.equal(await resolved(), 77)

    await page.goto('/config/2')
    await page.getByRole('button', { name: 'Restore …' }).click()
    await dialog.getByText('− 77').waitFor()
    // Another write between the view and the click: a change that was not shown is not undone.
    const last = { layer: { kind: 'global' }, set: { 'pool.idleTimeoutMs': 61_000 } }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body: last })).status, 201)
    await dialog.getByRole('button', { name: 'Write', exact: true }).click()
    await dialog.getByText('is based on revision 7, but the newest is 8').waitFor()
    await dialog.getByText('− 61000').waitFor()
    await page.getByRole('dialog').getByRole('button', { name: 'Write', exact: true }).click()
    await pageHeading(page, 'Revision 9').waitFor()
    await until('the older value', async () => (await resolved()) === 40)
    await close(page)
  })

  test('a layer is edited as YAML, with the line of a mistake, the help of each key, and the same draft as the fields', async () => {
    const before = { layer: { kind: 'region', name: 'us' }, set: { 'pool.idleTimeoutMs': 250_000 } }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body: before })).status, 201)
    const { page, offences } = await open('/config?layer=region/us&view=YAML')
    const text = page.getByLabel('Layer as YAML')
    await text.waitFor()
    assert.equal(await text.inputValue(), 'pool:\n  idleTimeoutMs: 250000\n')
    await text.fill('pool:\n  idleTimeoutMs: 250000\n usesMax: 9\n')
    await page.getByText(/^Line 3: /).waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    await text.fill('pool:\n  idleTimeoutMs: 250000\n  usesMax: 9\n')
    await text.press('Control+Home')
    await text.press('ArrowDown')
    await page.getByRole('heading', { name: 'pool.idleTimeoutMs' }).waitFor()
    const difference = page.getByLabel('Changes', { exact: true })
    await difference.getByText('+ 9').waitFor()
    assert.equal(await difference.getByRole('listitem').count(), 1)
    assert.equal(await page.getByLabel('Value', { exact: true }).inputValue(), '9')
    await page.getByLabel('Value', { exact: true }).fill('10')
    await until('the same in the text', async () => (await text.inputValue()).includes('usesMax: 10'))
    await text.fill('')
    await difference.getByText('− 250000').waitFor()
    await page.getByRole('button', { name: 'Discard' }).click()
    await until('the layer again', async () => (await text.inputValue()).includes('250000'))

    await page.getByText('effective', { exact: true }).click()
    await page.keyboard.press('/')
    await page.keyboard.type('idleTimeoutMs')
    const keys = page.getByRole('table', { name: /^Effective keys/ }).getByRole('row')
    await keys.filter({ hasText: 'pool.usesMax' }).waitFor({ state: 'detached' })
    const key = keys.filter({ hasText: 'pool.idleTimeoutMs' })
    await key.getByRole('link', { name: 'region/us' }).waitFor()
    await page.getByLabel('Layer', { exact: true }).selectOption('global')
    await key.getByText('default, or the edge’s file').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.deepEqual(offences, [])
    await close(page)
    const back = { layer: { kind: 'region', name: 'us' }, unset: ['pool.idleTimeoutMs'] }
    assert.equal((await fleet.api('/v1/config/revisions', { method: 'POST', body: back })).status, 201)
  })
})
