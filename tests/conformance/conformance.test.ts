/** Every scenario as a test of our edge, over the stub server and over real Dovecot. */
import { after, before, describe, it } from 'node:test'
import { haveDovecot, startDovecot, type ConformanceDovecot } from './dovecot.ts'
import { Runner } from './run.ts'
import { scenarios } from './scenarios/index.ts'

describe('our edge', { concurrency: 2 }, () => {
  for (const server of ['stub', 'Dovecot'] as const) {
    const isReal = server === 'Dovecot'
    const skip = isReal && !haveDovecot && 'Dovecot is not installed'
    describe(`over ${server}`, { concurrency: 1, skip }, () => {
      let dovecot: ConformanceDovecot | undefined
      let runner: Runner
      before(async () => {
        dovecot = isReal ? await startDovecot() : undefined
        runner = new Runner('ours', dovecot)
      })
      after(async () => {
        await runner.stop()
        await dovecot?.stop()
      })
      for (const scenario of scenarios.filter(({ on }) => on === 'any' || !isReal))
        it(`${scenario.name}: ${scenario.guarantee}`, async () => {
          const outcome = await runner.run(scenario)
          if (!outcome.passed) throw new Error(outcome.seen)
        })
    })
  }
})
