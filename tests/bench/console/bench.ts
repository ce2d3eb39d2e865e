/** The console benchmark: a large simulated fleet, and Chromium that loads every page. */
import { setTimeout as sleep } from 'node:timers/promises'
import { launchBrowser, noChromium, openPage, pageHeading, signInOnPage } from '../../support/browser.ts'
import { untilHeardOf } from '../fleet/bench.ts'
import { Herd } from '../fleet/herd/herd.ts'
import { usualPattern } from '../fleet/herd/messages.ts'
import { startPlane, type BenchPlane } from '../fleet/plane.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { BenchError } from '../problem.ts'
import { consoleDocument, type MeasuredPage } from './document.ts'
import { loadPage } from './measure.ts'
import type { ConsoleBenchOptions } from './options.ts'
import { consolePages } from './pages.ts'

const regions = ['ap', 'eu', 'sa', 'us']
const herdProcesses = 2
const reportsEach = 6

export async function benchConsole(options: ConsoleBenchOptions): Promise<void> {
  if (noChromium !== false) throw new BenchError(noChromium)
  const machine = describeMachine('apps/console', 'apps/control', 'packages', 'tests/bench')
  const plane = await startPlane({ isOneProcess: true })
  const herd = new Herd(options.edges, regions, herdProcesses, { ...usualPattern, edgesPerConnection: 20 })
  const browser = await launchBrowser()
  const stop = async () => {
    await browser.close()
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
    const measured: MeasuredPage[] = []
    const { page } = await openPage(browser, plane.api.api)
    await page.goto('/')
    await signInOnPage(page, await plane.api.createToken('console', 'admin'))
    await pageHeading(page, 'Overview').waitFor()
    const context = page.context()
    await page.close()
    for (const each of consolePages(herd.addresses[0]?.edge ?? '')) {
      console.log(`${each.title} ...`)
      const times = []
      for (let index = -1; index < options.repeats; index++) {
        const loaded = await loadPage(context, each)
        if (index >= 0) times.push(loaded)
      }
      measured.push({ title: each.title, times })
    }
    const text = consoleDocument(machine, measured, options, `Chromium ${browser.version()}, headless`)
    console.log(`\n${text}`)
    if (options.complete) writePart('console', text)
    else console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench console')
  } finally {
    await stop()
  }
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
