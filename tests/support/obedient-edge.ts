/** A simulated edge that follows its desired configuration: it applies each revision, refuses it, or ignores it. */
import { isDeepStrictEqual } from 'node:util'
import { subjects, type LayerVersions, type Presence } from '@imapfleet/protocol'
import type { SimulatedEdge } from './simulated-edge.ts'

/** What it does with a revision. `ignore`: it sends no heartbeat about it either. */
type Manner = 'apply' | 'refuse' | 'ignore'

const noLayers: LayerVersions = { global: 0, region: 0, edge: 0 }

export class ObedientEdge {
  readonly edge: SimulatedEdge
  manner: Manner = 'apply'
  heartbeatMs = 60_000
  /** More for its heartbeats. */
  said: Partial<Presence> = {}
  /** Every revision that it has run, in order. */
  readonly ran: number[] = []
  layer: unknown
  #version = 0
  #layers = noLayers
  #rejected: { revision: number; reason: string; versions: LayerVersions } | undefined

  constructor(edge: SimulatedEdge) {
    this.edge = edge
    edge.nats.subscribe(subjects.desiredChanged, { callback: () => void this.look().catch(() => {}) })
  }

  get applied(): number {
    return this.ran.at(-1) ?? 0
  }

  async look(): Promise<void> {
    const desired = await this.edge.desired()
    if (!desired || this.manner === 'ignore') return
    const { revision, layer, versions = noLayers } = desired.config
    // The number alone belongs to the newest layer: another layer can change with a lower number.
    if (revision === this.applied && isDeepStrictEqual(versions, this.#layers)) return
    if (this.manner === 'refuse') this.#rejected = { revision, reason: 'no such file', versions }
    else {
      this.ran.push(revision)
      this.layer = layer
      this.#version = desired.version
      this.#layers = versions
      this.#rejected = undefined
    }
    this.beat()
  }

  beat(): void {
    const config = {
      applied: this.applied,
      versions: this.#layers,
      ...(this.#rejected && { rejected: this.#rejected }),
    }
    const { heartbeatMs, said } = this
    this.edge.beat({ heartbeatMs, desired: { version: this.#version }, config, ...said })
  }
}
