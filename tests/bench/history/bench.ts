/** The history benchmark: fills a history or uses the history of an earlier run, queries it, measures its tables, reports. */
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { startPlane, type BenchPlane } from '../fleet/plane.ts'
import { onInterrupt } from '../interrupt.ts'
import { historyDocument } from './document.ts'
import { historyData, keepForever } from './data.ts'
import { regions } from './fill.ts'
import type { HistoryBenchOptions } from './options.ts'
import { askAll, historyQuestions } from './questions.ts'
import { sizesOf } from './sizes.ts'

export async function benchHistory(options: HistoryBenchOptions): Promise<void> {
  const machine = describeMachine('apps/control', 'packages', 'tests/bench')
  let running: BenchPlane | undefined
  onInterrupt(async () => await running?.stop())
  const { directory, from } = await historyData(options, (plane) => (running = plane))
  const plane = await startPlane({ directory, environment: keepForever })
  running = plane
  try {
    console.log('questions ...')
    const questions = historyQuestions(from, options.days, regions.length, options.edges)
    const asked = await askAll(plane, questions, options.repeat)
    const text = historyDocument(machine, asked, await sizesOf(plane, options.edges, options.days), options)
    console.log(`\n${text}`)
    if (options.complete) writePart('history', text)
    else console.log('\ndocs/benchmarks.md is written by a complete run only: npm run bench history')
  } finally {
    await plane.stop()
  }
}
