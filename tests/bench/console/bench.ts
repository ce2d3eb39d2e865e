/** The console benchmark: a large simulated fleet, and Chromium that loads every page. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { BrowserContext } from 'playwright-core'
import { temporaryDirectory } from '@imapfleet/local'
import {
  launchBrowser,
  launchProfile,
  noChromium,
  openPage,
  pageHeading,
  signInOnPage,
} from '../../support/browser.ts'
import { untilHeardOf } from '../fleet/bench.ts'
import { Herd } from '../fleet/herd/herd.ts'
import { usualPattern } from '../fleet/herd/messages.ts'
import { startPlane, type BenchPlane } from '../fleet/plane.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { BenchError } from '../problem.ts'
import { consoleDocument, type MeasuredPage } from './document.ts'
import { serveEmptyPage } from './empty-page.ts'
import { loadPage, type LoadTimes } from './measure.ts'
import type { ConsoleBenchOptions } from './options.ts'
import { consolePages, emptyPage, type BenchPage } from './pages.ts'

const regions = ['ap', 'eu', 'sa', 'us']
const herdProcesses = 2
const reportsEach = 6
/** Loads of each page, until the browser has cached its files and what it compiled of them. */
const uncounted = 2

export async function benchConsole(options: ConsoleBenchOptions): Promise<void> {
  if (noChromium !== false) throw new BenchError(noChromium)
  const machine = describeMachine('apps/console', 'apps/control', 'packages', 'tests/bench')
  const plane = await startPlane({ isOneProcess: true })
  const herd = new Herd(options.edges, regions, herdProcesses, { ...usualPattern, edgesPerConnection: 20 })
  const empty = await serveEmptyPage()
  const usual = await launchProfile(temporaryDirectory('bench-browser'), plane.api.api)
  const browser = await launchBrowser()
  const stop = async () => {
    await browser.close()
    await usual.close()
    empty.stop()
    await herd.leave()
    await plane.stop()
  }
  onInterrupt(stop)
  try {
    console.log(`${options.edges} edges join ...`)
    await herd.join(plane.nats)
    await untilHeardOf(plane, options.edges)
    await herd.report(reportsEach)
    await fill(plane)
    await sleep(usualPattern.heartbeatMs)
    const { page } = await openPage(browser, plane.api.api)
    const inPrivate = page.context()
    await page.close()
    for (const context of [usual, inPrivate]) await signIn(context, plane)
    const measure = async (each: BenchPage): Promise<MeasuredPage> => {
      console.log(`${each.title} ...`)
      const times = { title: each.title, usual: [] as LoadTimes[], inPrivate: [] as LoadTimes[] }
      for (let index = -uncounted; index < options.repeats; index++) {
        for (const [context, all] of [
          [usual, times.usual],
          [inPrivate, times.inPrivate],
        ] as const) {
          const loaded = await loadPage(context, each)
          if (index >= 0) all.push(loaded)
        }
      }
      return times
    }
    const nothing = await measure(emptyPage(empty.address))
    const measured: MeasuredPage[] = []
    for (const each of consolePages(herd.addresses[0]?.edge ?? '')) measured.push(await measure(each))
    const text = consoleDocument(
      machine,
      nothing,
      measured,
      options,
      `Chromium ${browser.version()}, headless`,
    )
    console.log(`\n${text}`)
    if (options.complete) writePart('console', text)
    else console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench console')
  } finally {
    await stop()
  }
}

async function signIn(context: BrowserContext, plane: BenchPlane): Promise<void> {
  const page = await context.newPage()
  await page.goto('/')
  await signInOnPage(page, await plane.api.createToken('console', 'admin'))
  await pageHeading(page, 'Overview').waitFor()
  await page.close()
}

/** Something for every page to show. */
async function fill(plane: BenchPlane): Promise<void> {
  await plane.ask('/v1/config/revisions', {
    layer: { kind: 'global' },
    set: { 'pool.usesMax': 2_000 },
    note: 'connections live longer',
  })
  await plane.ask('/v1/orders', { action: { kind: 'version' } })
}
