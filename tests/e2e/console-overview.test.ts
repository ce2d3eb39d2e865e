/** The overview of the web console with a thousand simulated edges: sorting, filters, problems first, and bounded work. */
import assert from 'node:assert/strict'
import { after, before, suite, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { accessibilityFaults } from '../support/accessibility.ts'
import { launchBrowser, noChromium, openPage, signInOnPage, type Appearance } from '../support/browser.ts'
import { close, pageWidth } from '../support/console.ts'
import { Plane } from '../support/plane.ts'
import { connectNats, SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const edgesInAll = 1_000
const regions = ['ap', 'eu', 'sa', 'us']

suite('console: overview', { skip: noChromium }, () => {
  let plane: Plane
  let browser: Browser
  let stop: () => Promise<void>
  before(async () => {
    ;[plane, browser] = await Promise.all([Plane.start(), launchBrowser()])
    const nats = await connectNats(plane.nats)
    const edges = Array.from({ length: edgesInAll }, (_, index) => {
      const region = regions[index % regions.length] ?? ''
      return { edge: new SimulatedEdge(nats, region, `${region}-${Math.floor(index / 4) + 1}`), index }
    })
    const beat = () => {
      for (const { edge, index } of edges) {
        const gauges = {
          clients_connected: index,
          clients_limit: 10_000,
          upstreams_leased: index,
          upstreams_idle: 0,
          'upstream_connections_limit{upstream="main"}': 2_000,
        }
        // They do not become silent while a test runs.
        edge.beat({ gauges, heartbeatMs: 600_000, ...special[edge.address.edge] })
      }
    }
    beat()
    await until('every edge', async () => {
      const { body } = await plane.api('/v1/edges')
      if ((body as { edges: unknown[] }).edges.length === edgesInAll) return true
      beat()
      return false
    })
    const busy = edges.find(({ edge }) => edge.address.edge === 'sa-7')?.edge
    assert.ok(busy)
    await busy.send(busy.report({ counters: { 'sessions_total{ending="logout"}': 0 } }, Date.now() - 120_000))
    await busy.send(
      busy.report({ counters: { 'sessions_total{ending="logout"}': 5_000 } }, Date.now() - 60_000),
    )
    stop = async () => {
      await nats.close()
      await browser.close()
      await plane.stop()
    }
  })
  after(async () => await stop?.())

  /** What differs from other edges. */
  const special: Readonly<Record<string, Parameters<SimulatedEdge['beat']>[0]>> = {
    'us-200': { degraded: ['upstream main does not answer: connection refused'] },
    'ap-3': { state: 'draining' },
  }

  const open = async (path: string, look: Appearance = {}) => {
    const watched = await openPage(browser, plane.control.api, look)
    await watched.page.goto(path)
    await signInOnPage(watched.page, plane.token)
    await rows(watched.page).first().waitFor()
    return watched
  }
  const rows = (page: Page) => page.locator('.long-table .rows tr')
  const names = async (page: Page) => await rows(page).locator('.col-name a').allTextContents()
  const untilFirst = async (page: Page, ...expected: string[]) =>
    await until(`${expected.join(', ')} first`, async () => {
      const shown = await names(page)
      return expected.every((name, index) => shown[index] === name)
    })

  test('edges with problems come first, and the number of rows in the page is bounded while all can be reached', async () => {
    const { page, offences } = await open('/')
    await untilFirst(page, 'us-200', 'ap-3', 'ap-1', 'ap-2', 'ap-4')
    await page.getByRole('region', { name: 'Problems' }).getByText('connection refused').waitFor()
    assert.deepEqual(await accessibilityFaults(page), [])
    assert.equal(await page.getByRole('table').getAttribute('aria-rowcount'), `${edgesInAll + 1}`)
    const drawn = await rows(page).count()
    assert.ok(drawn < 100, `${drawn} rows`)
    const height = (await page.evaluate('document.documentElement.scrollHeight')) as number
    assert.ok(height > edgesInAll * 30, 'the scroll bar is that of all edges')

    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)')
    await until('the last edge', async () => (await names(page)).at(-1) === 'us-250')
    assert.ok((await rows(page).count()) < 100)
    assert.equal(await rows(page).last().getAttribute('aria-rowindex'), `${edgesInAll + 1}`)
    const head = await page.getByRole('columnheader', { name: 'Edge' }).boundingBox()
    assert.equal(head?.y, 0, 'the head stays at the top of the window')
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a column sorts in both directions, and the address keeps the order', async () => {
    const { page } = await open('/', { width: 1600 })
    await page.getByRole('button', { name: 'Clients' }).click()
    await untilFirst(page, 'us-250', 'sa-250')
    await page.getByRole('button', { name: 'Clients' }).click()
    await untilFirst(page, 'ap-1', 'eu-1')
    assert.equal(new URL(page.url()).search, '?sort=clients')
    const sorted = page.getByRole('columnheader', { name: 'Clients' })
    assert.equal(await sorted.getAttribute('aria-sort'), 'ascending')
    await page.getByRole('button', { name: 'Sessions/s' }).click()
    await untilFirst(page, 'sa-7')
    await page.reload()
    await untilFirst(page, 'sa-7')
    await page.getByRole('button', { name: 'Edge', exact: true }).click()
    await untilFirst(page, 'ap-1', 'ap-2', 'ap-3')
    await close(page)
  })

  test('edges are filtered by text, state, region and problem, and / goes to the search', async () => {
    const { page, offences } = await open('/')
    await page.keyboard.press('/')
    await page.keyboard.type('sa-24')
    await page.getByText(`11 of ${edgesInAll.toLocaleString('en')} edges`).waitFor()
    assert.equal((await names(page)).length, 11, 'a short list is in the page as a whole')
    assert.equal(new URL(page.url()).search, '?q=sa-24')
    await page.getByRole('button', { name: 'Clear' }).click()
    await page.getByLabel('State').selectOption('draining')
    await untilFirst(page, 'ap-3')
    assert.equal(await rows(page).count(), 1)
    await page.getByLabel('State').selectOption('')
    await page.getByLabel('Problem', { exact: true }).selectOption('reported')
    await untilFirst(page, 'us-200')
    await page.getByLabel('Region').selectOption('eu')
    await page.getByText('No edge matches').waitFor()
    await page.getByRole('button', { name: 'Show all' }).click()
    await page.getByLabel('Region').selectOption('eu')
    await page.getByText(`250 of ${edgesInAll.toLocaleString('en')} edges`).waitFor()
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('in a narrow window every row is a card of the same height, and the table does not widen the page', async () => {
    const { page } = await open('/', { width: 375, colours: 'dark' })
    await untilFirst(page, 'us-200', 'ap-3')
    assert.equal(await pageWidth(page), 375)
    const heights = (await page.evaluate(
      "[...document.querySelectorAll('.long-table .rows tr')].map((row) => row.offsetHeight)",
    )) as number[]
    assert.equal(new Set(heights).size, 1, heights.join(' '))
    await page.getByLabel('Sort by').selectOption('clients')
    await untilFirst(page, 'us-250')
    assert.deepEqual(await accessibilityFaults(page), [])
    await close(page)
  })

  test('what a page is for is answered before its lists of edges are asked for', async () => {
    const { page, offences } = await open('/')
    await page.waitForLoadState('networkidle').catch(() => {})
    for (const [path, first, later] of [
      ['/config', '/v1/config', '/v1/edges'],
      ['/history?groupBy=region', '/v1/stats/history by region', '/v1/edges'],
      // The charts follow the table, whose first rows have come with the page.
      ['/', '/v1/edges', '/v1/stats/history by region'],
    ] as const) {
      const order: string[] = []
      const pathOf = (each: { url: () => string }) => {
        const { pathname, searchParams } = new URL(each.url())
        const group = searchParams.get('groupBy')
        return pathname + (pathname.startsWith('/v1/') && group !== null ? ` by ${group}` : '')
      }
      const asked = (each: { url: () => string }) => order.push(`asked ${pathOf(each)}`)
      const answered = (each: { url: () => string }) => order.push(`answered ${pathOf(each)}`)
      await page.goto('about:blank')
      page.on('request', asked).on('response', answered)
      const html = (await (await page.goto(path))?.text()) ?? ''
      await until(`${later} of ${path}`, () => Promise.resolve(order.includes(`answered ${later}`)))
      page.off('request', asked).off('response', answered)
      // What a page is for usually comes with the page. Only the first rows of Overview do.
      const comesFirst = path !== '/' && html.includes(`data-answer="${first.replace(/ .*/, '')}`)
      const answeredAt = order.indexOf(
        comesFirst ? 'answered /' + path.slice(1).replace(/\?.*/, '') : `answered ${first}`,
      )
      assert.ok(answeredAt >= 0 && answeredAt < order.indexOf(`asked ${later}`), order.join('\n'))
    }
    assert.equal(await page.getByLabel('Region').locator('option').count(), regions.length + 1)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a table of a thousand rows begins with those of a window, and soon has all', async () => {
    const { body } = await plane.api('/v1/config/revisions', {
      body: { layer: { kind: 'global' }, set: { 'pool.usesMax': 900 } },
    })
    const { revision } = (body as { revision: { revision: number } }).revision
    const { page, offences } = await open('/')
    await page.addInitScript({
      content: `
        window.counts = []
        new MutationObserver(() => {
          const count = document.querySelectorAll('.table tbody tr').length
          if (count > 0 && counts.at(-1) !== count) counts.push(count)
        }).observe(document, { childList: true, subtree: true })`,
    })
    await page.goto(`/config/${revision}`)
    const all = page.getByRole('table', { name: 'Edges of this revision' }).locator('tbody tr')
    await until('all edges', async () => (await all.count()) === edgesInAll)
    const [first = 0] = (await page.evaluate('counts')) as number[]
    assert.ok(first > 30 && first < 100, `${first} rows at first`)
    assert.equal(new Set(await all.locator('td:first-child').allTextContents()).size, edgesInAll)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('a chart without a legend is as tall as its neighbour with one', async () => {
    const { page } = await open('/')
    await page.locator('.fleet-charts .u-over').nth(5).waitFor()
    const gaps = (await page.evaluate(`[...document.querySelectorAll('.fleet-charts .card')].map((card) => {
      const ends = [...card.querySelectorAll('.uplot, .chart-legend')].map((each) => each.getBoundingClientRect().bottom)
      return card.getBoundingClientRect().bottom - Math.max(...ends)
    })`)) as number[]
    assert.equal(gaps.length, 6)
    for (const gap of gaps) assert.ok(gap >= 0 && gap < 16, `${gaps.join(', ')} px below the charts`)
    await close(page)
  })

  test('while control does not answer, there is one banner, and nothing looks like a present state', async () => {
    const { page, offences } = await open('/?q=ap-1')
    const badge = page.locator('.long-table .badge').first()
    const looks = async () =>
      await page.evaluate("getComputedStyle(document.querySelector('.long-table .badge')).color")
    await badge.waitFor()
    let lost = 0
    page.on('requestfailed', (request) => {
      if (request.url().includes('/v1/stats/history')) lost++
    })
    const present = await looks()
    const edge = await openPage(browser, plane.control.api)
    await edge.page.goto('/edges/sa-7')
    await signInOnPage(edge.page, plane.token)
    const style = async (selector: string, key: string) =>
      await edge.page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${key}`)
    const isGrey = async () => (await style('.swatch.part-1', 'filter')) === 'grayscale(1)'
    const buttonColour = async () => await style('.danger-list .button', 'color')
    await edge.page.locator('.danger-list .button').first().waitFor()
    const red = await buttonColour()
    assert.equal(await isGrey(), false)
    await plane.control.process.stop()
    await page.getByText('The page shows data from').waitFor()
    await until('the badges to fade', async () => (await looks()) !== present)
    await until('the legend to fade', isGrey)
    assert.notEqual(await buttonColour(), red)
    await close(edge.page)
    assert.deepEqual(await accessibilityFaults(page), [])
    // Those of the charts and of the table, as often as the client tries.
    await until('the polls to fail', () => lost >= 6)
    assert.equal(await page.getByText('Control does not answer').count(), 1)
    await plane.control.process.start()
    await page.getByText('The page shows data from').waitFor({ state: 'detached' })
    assert.equal(await looks(), present)
    assert.deepEqual(offences, [])
    await close(page)
  })

  test('times are in the time zone of the browser or in UTC, and the choice is kept', async () => {
    const { page } = await open('/')
    await page.getByText(/^Times are in local time \(.+\)\.$/).waitFor()
    await page.getByLabel('UTC', { exact: true }).check({ force: true })
    await page.getByText('Times are in UTC.').waitFor()
    await page.reload()
    await page.getByText('Times are in UTC.').waitFor()
    await close(page)
  })
})
