/**
 * Runs scenarios one after another. Our edge keeps running while the configuration is the same, so that damage by one
 * scenario would show in the next. imapproxy can crash or keep damage, so it is restarted for each scenario.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { eventually } from './child.ts'
import type { ConformanceDovecot } from './dovecot.ts'
import type { ProxyName } from './proxy-process.ts'
import type { Scenario } from './scenario.ts'
import { Mismatch } from './wire.ts'
import { makeWorld, startStage, type Stage } from './world.ts'

/** `log`: the last lines that the proxy logged. */
export type ScenarioOutcome = { passed: true } | { passed: false; seen: string; log: string }

const scenarioTimeoutMs = 60_000
const logCharacters = 3_000

export class Runner {
  readonly #proxy: ProxyName
  readonly #dovecot: ConformanceDovecot | undefined
  readonly #isAhead: boolean
  #stage: Stage | undefined
  #stageKey = ''

  /**
   * In front of this Dovecot, or of a stub server without one.
   * @param isAhead whether our edge asks ahead
   */
  constructor(proxy: ProxyName, dovecot?: ConformanceDovecot, isAhead = false) {
    this.#proxy = proxy
    this.#dovecot = dovecot
    this.#isAhead = isAhead
  }

  async run(scenario: Scenario): Promise<ScenarioOutcome> {
    const stage = await this.#stageFor(scenario)
    const { world, conclude, dismiss } = makeWorld(stage, scenario)
    const limit = new AbortController()
    const late = pause(scenarioTimeoutMs, undefined, { signal: limit.signal }).then(() => {
      throw new Mismatch(`did not end within ${scenarioTimeoutMs / 1000} s`)
    })
    const play = async () => {
      await scenario.run(world)
      await conclude()
    }
    try {
      await Promise.race([play(), late])
      return { passed: true }
    } catch (error) {
      if (!(error instanceof Mismatch)) throw error
      // A crash first shows as a closed connection.
      const { proxy } = stage
      if (error.message.includes('closed')) await eventually(() => proxy.ending() !== undefined, 500)
      const died = proxy.ending() === undefined ? '' : `the proxy process died (${proxy.ending()}): `
      await dismiss()
      await this.stop()
      return { passed: false, seen: died + error.message, log: proxy.log().slice(-logCharacters) }
    } finally {
      limit.abort()
      late.catch(() => undefined)
      if (this.#proxy === 'imapproxy') await this.stop()
    }
  }

  async stop(): Promise<void> {
    const stage = this.#stage
    this.#stage = undefined
    await stage?.stop()
  }

  async #stageFor(scenario: Scenario): Promise<Stage> {
    const key = JSON.stringify(scenario.config ?? {})
    if (this.#stage && this.#stageKey === key) return this.#stage
    await this.stop()
    this.#stageKey = key
    this.#stage = await startStage(this.#proxy, scenario, this.#dovecot, this.#isAhead)
    return this.#stage
  }
}
