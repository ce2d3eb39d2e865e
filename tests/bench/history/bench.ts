/** The whole history benchmark: a history is made, asked, weighed, and told of. */
import { describeMachine } from '../machine.ts'
import { writePart } from '../page.ts'
import { startPlane } from '../fleet/plane.ts'
import { historyDocument } from './document.ts'
import { fill, regions, say } from './fill.ts'
import type { HistoryBenchOptions } from './options.ts'
import { askAll, historyQuestions } from './questions.ts'
import { sizesOf } from './sizes.ts'

export async function benchHistory(options: HistoryBenchOptions): Promise<void> {
  const machine = describeMachine('apps/control', 'packages', 'tests/bench')
  const plane = await startPlane()
  process.once('SIGINT', () => void plane.stop().finally(() => process.exit(130)))
  try {
    const { from } = await fill(plane, options)
    say('questions')
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
