/** Open alerts and problems in the console, of edges that have many of them, and of silent edges. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { AlertView } from '@imapfleet/api'
import type { Browser, Page } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { launchBrowser, noChromium, openPage, pageHeading, signInOnPage } from '../support/browser.ts'
import { close, pageWidth } from '../support/console.ts'
import { Plane } from '../support/plane.ts'
import { SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const certificates = 40
const inAnHour = Math.round(Date.now() / 1000) + 3_600
const full = 'state directory: ENOSPC: no space left on device, write'
const upstreams = (healthy: number, names: readonly string[]) =>
  Object.fromEntries(names.map((name) => [`upstream_healthy{upstream="${name}"}`, healthy]))

/** What each edge says. eu-3 stops saying anything. */
const said: Readonly<Record<string, Parameters<SimulatedEdge['beat']>[0]>> = {
  'eu-1': {
    gauges: {
      ...upstreams(0, ['main', 'old', 'archive']),
      ...Object.fromEntries(
        Array.from({ length: certificates }, (_, index) => [
          `certificate_expiry_seconds{owner="host-${index}"}`,
          inAnHour,
        ]),
      ),
    },
    degraded: ['the log cannot be written', 'restart it for http.port', full],
  },
  'eu-2': { gauges: upstreams(1, ['main']) },
  'eu-3': { gauges: upstreams(1, ['main']), heartbeatMs: 1_000 },
  'us-1': { gauges: upstreams(1, ['main']), degraded: [full] },
}

suite('console: many alerts', { skip: noChromium }, () => {
  let plane: Plane
  let browser: Browser
  let beating: NodeJS.Timeout
  const openAlerts = async (query = '') =>
    ((await plane.api(`/v1/alerts?limit=500${query}`)).body as { alerts: AlertView[] }).alerts
  before(async () => {
    ;[plane, browser] = await Promise.all([Plane.start(), launchBrowser()])
    for (const rule of ['edge-silent', 'upstream-down', 'certificate-expires', 'edge-problems'])
      await plane.api(`/v1/alert-rules/${rule}`, { body: { holdSeconds: 0, clearSeconds: 0 } })
    const edges: SimulatedEdge[] = []
    for (const id of Object.keys(said)) {
      const edge = await plane.edge(id.slice(0, 2), id)
      edge.startedAt = Date.now() - 7_200_000
      edges.push(edge)
    }
    let isWhole = false
    beating = setInterval(() => {
      for (const edge of edges)
        if (!isWhole || edge.address.edge !== 'eu-3') edge.beat(said[edge.address.edge])
    }, 1_000)
    await until('all edges', async () => {
      const { body } = await plane.api('/v1/edges')
      return (body as { edges: unknown[] }).edges.length === edges.length
    })
    isWhole = true
    await until('all alerts', async () => (await openAlerts()).length === certificates + 6, 60_000)
  })
  after(async () => {
    clearInterval(beating)
    await browser?.close()
    await plane?.stop()
  })

  const open = async (path: string, heading: string, width = 1_280) => {
    const watched = await openPage(browser, plane.control.api, { width })
    await watched.page.goto(path)
    await signInOnPage(watched.page, plane.token)
    await pageHeading(watched.page, heading).waitFor()
    return watched
  }
  const alertsOf = (page: Page) => page.getByRole('region', { name: 'Open alerts' }).getByRole('listitem')
  const linesOf = async (page: Page) => {
    await alertsOf(page).first().waitFor()
    return (await alertsOf(page).allTextContents()).map((line) => line.replace(/ for \d.*/, ''))
  }

  test('the overview counts edges, not alerts, and lists the problems of a few edges one by one', async () => {
    const { page, offences } = await open('/', 'Overview')
    assert.deepEqual((await linesOf(page)).toSorted(), [
      `${certificates + 6} open alerts`,
      `Certificate expires at eu-1 (${certificates} alerts)`,
      'Edge has a problem',
      'Edge has a problem',
      'Edge silent',
      'Mail server down at eu-1 (3 alerts)',
    ])
    assert.equal(await page.getByRole('region', { name: 'Problems' }).count(), 0, 'alerts cover them')
    assert.equal(await page.getByText('edges report').count(), 0)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('the page of an edge has a few lines, pages first, and a link to all alerts of the edge', async () => {
    const { page, offences } = await open('/edges/eu-1', 'eu-1', 375)
    const [first, ...tickets] = await linesOf(page)
    assert.equal(first, 'Mail server down at eu-1 (3 alerts)')
    assert.deepEqual(tickets.toSorted(), [
      `${certificates + 4} open alerts`,
      `Certificate expires at eu-1 (${certificates} alerts)`,
      'Edge has a problem',
    ])
    assert.equal(await page.getByText('This edge reports').count(), 0, 'the alert has them')
    assert.equal(await pageWidth(page), 375)
    assert.deepEqual(await accessibilityFaults(page), [])
    await page.getByRole('link', { name: `${certificates + 4} open alerts` }).click()
    await pageHeading(page, 'Alerts').waitFor()
    assert.equal(new URL(page.url()).search, '?edge=eu-1')
    const rows = page.getByRole('region', { name: 'List of alerts' }).locator('tbody tr')
    await until('the alerts of the edge', async () => (await rows.count()) === certificates + 4)
    assert.equal(await pageWidth(page), 375)
    await rows.getByRole('link', { name: 'Mail server down' }).first().click()
    await page.getByText('Check the mail server').waitFor()
    assert.equal(new URL(page.url()).searchParams.get('edge'), 'eu-1')
    await page.getByRole('button', { name: 'Alerts of all edges' }).click()
    await until('all alerts', async () => (await rows.count()) === certificates + 6)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a muted alert is grey, with who, until when and why, and its problem does not come back in red', async () => {
    const [alert] = await openAlerts('&edge=us-1')
    assert.equal(alert?.rule, 'edge-problems')
    await plane.api(`/v1/alerts/${alert.id}/acknowledge`, {
      body: { reason: 'disk is ordered', seconds: 3_600 },
    })
    await plane.api('/v1/alert-silences', { body: { edge: 'eu-3', reason: 'moved to Bonn', seconds: 3_600 } })
    const grey = async (path: string, heading: string, words: RegExp) => {
      const { page, offences } = await open(path, heading)
      await page.getByText(words).waitFor()
      assert.equal(await alertsOf(page).count(), 1)
      assert.equal(await alertsOf(page).getAttribute('class'), 'muted')
      assert.equal(await page.locator('.note').count(), 0)
      assert.deepEqual(await accessibilityFaults(page), [])
      assert.deepEqual(offences, [])
      await close(page)
    }
    await grey('/edges/us-1', 'us-1', /Acknowledged by \S+ until .*\d\d:\d\d:\d\d: disk is ordered/)
    await grey('/edges/eu-3', 'eu-3', /Silenced by \S+ until .*\d\d:\d\d:\d\d: moved to Bonn/)
    const { page } = await open('/', 'Overview')
    await page.getByText(`${certificates + 6} open alerts, 2 acknowledged or silenced`).waitFor()
    assert.equal((await linesOf(page)).length, 4)
    assert.equal(await page.getByRole('region', { name: 'Problems' }).count(), 0)
    await close(page)
  })

  test('without reports the page of an edge says so, and a silent edge looks like none that is heard', async () => {
    for (const id of ['eu-3', 'eu-2']) {
      const { page, offences } = await open(`/edges/${id}`, id)
      await page.getByText('No reports in the last hour.').waitFor()
      await page.getByText('No reports in the last 24 hours').waitFor()
      const servers = page.getByRole('table', { name: `Mail servers of ${id}` })
      const badge = servers.locator('.badge').filter({ hasText: 'up' })
      assert.equal(await badge.getAttribute('class'), id === 'eu-3' ? 'badge still' : 'badge good')
      assert.equal(await page.getByText('Health as of the last heartbeat').count(), id === 'eu-3' ? 1 : 0)
      assert.deepEqual(await accessibilityFaults(page), [])
      assert.deepEqual(offences, [])
      await close(page)
    }
  })
})
