/** The scenarios once, with short faults. `npm run chaos` runs all of them repeatedly, with long ones. */
import { after, before, suite, test } from 'node:test'
import { chaosScenarios } from './scenarios.ts'
import { ChaosRun } from './chaos-run.ts'

suite('a fleet with three servers of each kind', () => {
  let stage: ChaosRun
  before(async () => (stage = await ChaosRun.start()))
  after(() => stage?.stop())

  for (const { guarantee, missing, run } of chaosScenarios.filter(({ isLong }) => !isLong))
    test(guarantee, async (t) => {
      const reason = missing?.(stage)
      if (reason !== undefined) return t.skip(reason)
      await run(stage, { faultMs: 1_000, say: () => {} })
    })

  test('in the end nothing was lost, doubled or shown wrongly, and no session was disturbed', async () => {
    await stage.compare()
  })
})
