/** The benchmark of restarts and failing addresses: measures, prints the tables, writes the document. */
import { stopAll } from '../edge/child.ts'
import { buildBundles } from '../edge/programs.ts'
import { onInterrupt } from '../interrupt.ts'
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { measureAddresses } from './addresses.ts'
import { pressureDocument, type PressureResults } from './document.ts'
import type { PressureOptions } from './options.ts'
import { measureRestarts } from './restart.ts'

export async function benchPressure(options: PressureOptions): Promise<void> {
  onInterrupt(stopAll)
  try {
    const machine = describeMachine('apps/edge-proxy', 'packages', 'tests/bench')
    await buildBundles()
    const restarts = await measureRestarts(options)
    const results: PressureResults = { restarts, addresses: await measureAddresses(options) }
    const document = pressureDocument(machine, options, results)
    console.log(document)
    if (options.complete) writePart('pressure', document)
    else console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench pressure')
  } finally {
    await stopAll()
  }
}
