/**
 * What the fleet wants of this edge, applied as a whole: configuration, revocations, traces, drain. Read from this
 * edge's own key when told of a change, at each connect, and now and then; a newer version is never undone by an older.
 */
import {
  decode,
  desiredEntry,
  desiredSchema,
  type Desired,
  type EdgeAddress,
  type Revocation,
} from '@imapfleet/protocol'
import { checkLayer, mergeLayers, printProblem, resolveConfig, type Layer } from '@imapfleet/config'
import type { Edge } from '../edge/edge.ts'
import type { Unstartable } from './last-config.ts'
import type { LastGood } from './last-good.ts'
import type { Fleet } from './link.ts'
import type { TraceFeed } from './trace-feed.ts'

export interface DesiredFacts {
  edge: Edge
  address: EdgeAddress
  /** The edge's own file, over which the fleet's layer is laid. */
  document: () => Layer
  /** What this edge could not be started with is not said to be applied. */
  unstartable: Unstartable | undefined
  lastGood: LastGood
  traces: TraceFeed
}

export class DesiredState {
  readonly #facts: DesiredFacts
  #version = 0
  /** The last configuration that was right. */
  #inForce: Desired['config'] | undefined
  #applied = 0
  #rejected: { revision: number; reason: string } | undefined
  #revocations = 0
  #reading: Promise<void> = Promise.resolve()

  constructor(facts: DesiredFacts) {
    this.#facts = facts
  }

  /** Revision that is in force; 0: only the file. */
  get applied(): number {
    return this.#applied
  }

  get rejected(): { revision: number; reason: string } | undefined {
    return this.#rejected
  }

  /** Sequence of the last revocation applied. */
  get revocations(): number {
    return this.#revocations
  }

  /** Goes on where the last run of this edge stood. Traces are not resumed: their readers have gone. */
  restore(): void {
    const last = this.#facts.lastGood.read()
    if (last) this.#apply({ ...last, traces: [] })
    // Forgotten: the fleet's own copy of the same version is applied again, with its traces.
    this.#version = 0
  }

  /** Lays the layer in force over a file that has been read again. */
  relay(): void {
    if (this.#inForce) this.#applyConfig(this.#inForce)
  }

  /** Reads this edge's key and applies it if it is newer. One read at a time; who asks during one gets the next. */
  fetch(fleet: Fleet): Promise<void> {
    const next = this.#reading.then(() => this.#fetch(fleet))
    this.#reading = next
    return next
  }

  async #fetch(fleet: Fleet): Promise<void> {
    const { edge, address } = this.#facts
    try {
      const { stream, subject } = desiredEntry(address)
      const message = await fleet.manager.direct.getMessage(stream, { last_by_subj: subject })
      // No entry yet: control has not heard of this edge, and wants nothing of it.
      if (!message || message.data.length === 0) return
      const decoded = decode(desiredSchema, message.data)
      if (!decoded.ok) edge.log.warn('desired_unreadable', { reason: decoded.reason })
      else if (decoded.value.version > this.#version) this.#apply(decoded.value)
    } catch (error) {
      edge.log.debug('desired_unread', { reason: (error as Error).message })
    }
  }

  #apply(desired: Desired): void {
    const { edge, lastGood, traces } = this.#facts
    this.#version = desired.version
    for (const revocation of desired.revocations) this.#revoke(revocation)
    const isGood = this.#applyConfig(desired.config)
    traces.follow(desired.traces)
    if (desired.drain) edge.drain()
    else edge.resume()
    if (isGood) lastGood.write(desired)
  }

  /** All of it or nothing: what was in force stays in force when the new one is wrong. */
  #applyConfig(config: Desired['config']): boolean {
    const { edge } = this.#facts
    const reject = (reason: string) => {
      this.#rejected = { revision: Math.max(1, config.revision), reason: reason.slice(0, 4000) }
      edge.log.error('config_rejected', { revision: config.revision, reason })
      return false
    }
    const { unstartable } = this.#facts
    if (config.revision === unstartable?.revision) return reject(unstartable.reason)
    const layer = checkLayer(config.layer)
    if (!layer.ok) return reject(layer.problems.map((problem) => printProblem(problem)).join('; '))
    const resolved = resolveConfig(mergeLayers(this.#facts.document(), layer.layer))
    if (!resolved.ok) return reject(resolved.problems.map((problem) => printProblem(problem)).join('; '))
    try {
      edge.apply(resolved.config)
    } catch (error) {
      return reject((error as Error).message.replaceAll('\n', '; '))
    }
    if (config.revision !== this.#applied) edge.log.info('config_applied', { revision: config.revision })
    this.#inForce = config
    this.#applied = config.revision
    this.#rejected = undefined
    return true
  }

  #revoke(revocation: Revocation): void {
    if (revocation.sequence <= this.#revocations) return
    const { edge } = this.#facts
    const { kind, subject } = revocation
    const wanted = subject.toLowerCase()
    const isMeant = (user: string) =>
      kind === 'user' ? user.toLowerCase() === wanted : user.toLowerCase().endsWith(`@${wanted}`)
    // All that is there now, whatever the clocks say: at worst a connection of the new password is opened again.
    const count = edge.pool.purge(({ user, openedBy }) => isMeant(user) || isMeant(openedBy), 'revoked')
    this.#revocations = revocation.sequence
    edge.log.info('revoked', { kind, subject, connections: count })
  }
}
