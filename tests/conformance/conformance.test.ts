/**
 * Every scenario as a test of our edge, over the stub server and over real Dovecot. Scenarios of sessions run a second time
 * with answer-ahead.
 */
import { after, before, describe, it } from 'node:test'
import { haveDovecot, startDovecot, type ConformanceDovecot } from './dovecot.ts'
import { Runner } from './run.ts'
import { scenarios, scenariosOfSessions } from './scenarios/index.ts'

for (const [edge, isAhead, played] of [
  ['our edge', false, scenarios],
  ['our edge, which asks ahead,', true, scenariosOfSessions],
] as const)
  describe(edge, { concurrency: 2 }, () => {
    for (const server of ['stub', 'Dovecot'] as const) {
      const isReal = server === 'Dovecot'
      const skip = isReal && !haveDovecot && 'Dovecot is not installed'
      describe(`over ${server}`, { concurrency: 1, skip }, () => {
        let dovecot: ConformanceDovecot | undefined
        let runner: Runner
        before(async () => {
          dovecot = isReal ? await startDovecot() : undefined
          runner = new Runner('ours', dovecot, isAhead)
        })
        after(async () => {
          await runner.stop()
          await dovecot?.stop()
        })
        for (const scenario of played.filter(({ on }) => on === 'any' || !isReal))
          it(`${scenario.name}: ${scenario.guarantee}`, async () => {
            const outcome = await runner.run(scenario)
            if (!outcome.passed) throw new Error(`${edge} over ${server}: ${outcome.seen}\n${outcome.log}`)
          })
      })
    }
  })
