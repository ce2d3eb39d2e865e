/** Live views that stay open during a scenario, one at each replica. They note what no view may show. */
import type { LiveEdge } from '@imapfleet/api'
import { until } from '../support/until.ts'
import { patienceMs, type ChaosFleet } from './chaos-fleet.ts'

/** Control sends something every second. */
const silenceMs = 8_000

interface View {
  updates: number
  edges: Map<string, LiveEdge>
}

export class LiveViews {
  readonly #life = new AbortController()
  readonly #views: View[] = []
  readonly #following: Promise<void>[]
  readonly #world: ChaosFleet
  /** `EDGE at replica N` for each time that a view began to show an edge as silent. */
  readonly silent: string[] = []
  readonly failures: string[] = []

  constructor(world: ChaosFleet) {
    this.#world = world
    this.#following = world.replicas.map(async (_replica, index) => await this.#follow(index))
  }

  /** Waits until the views of these replicas show all edges, in an event that arrives from now on. */
  async current(replicas: readonly number[]): Promise<void> {
    const before = this.#views.map(({ updates }) => updates)
    for (const replica of replicas)
      await until(
        `a live view of replica ${replica + 1}`,
        () => {
          const view = this.#views[replica]!
          return view.updates > (before[replica] ?? 0) && view.edges.size === this.#world.edges.length
        },
        patienceMs,
      )
  }

  async stop(): Promise<void> {
    this.#life.abort()
    await Promise.all(this.#following)
  }

  async #follow(index: number): Promise<void> {
    const view: View = { updates: 0, edges: new Map() }
    this.#views[index] = view
    const { signal } = this.#life
    try {
      for await (const update of this.#world.api(index).stream('followFleet', { signal, silenceMs })) {
        if (update.kind !== 'event' || update.name === 'trouble') continue
        if (update.name === 'fleet') view.edges.clear()
        for (const edge of update.data.edges) {
          if (edge.state === 'silent' && view.edges.get(edge.id)?.state !== 'silent')
            this.silent.push(`${edge.id} at replica ${index + 1}`)
          view.edges.set(edge.id, edge)
        }
        view.updates += 1
      }
    } catch (error) {
      if (!signal.aborted) this.failures.push(`the view of replica ${index + 1}: ${String(error)}`)
    }
  }
}
