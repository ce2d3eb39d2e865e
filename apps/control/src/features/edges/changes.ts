/** The news of a live view: the edges that changed since they were last sent, and those that left. */
import type { LiveEdge } from '@imapfleet/api'

export interface LiveChange {
  changed: LiveEdge[]
  /** Ids of edges that were sent and are no longer there. */
  gone: string[]
}

export class Changes {
  readonly #told = new Map<string, string>()
  readonly #region: string | undefined

  constructor(region: string | undefined) {
    this.#region = region
  }

  /** The edges that the view has received. */
  get total(): number {
    return this.#told.size
  }

  /** `edges`: all edges of the view. */
  in(edges: readonly LiveEdge[]): LiveChange {
    const shown = edges.filter(({ region }) => this.#region === undefined || region === this.#region)
    const changed = shown.filter((edge) => {
      const text = JSON.stringify(edge)
      if (this.#told.get(edge.id) === text) return false
      this.#told.set(edge.id, text)
      return true
    })
    const there = new Set(shown.map(({ id }) => id))
    const gone = [...this.#told.keys()].filter((id) => !there.has(id))
    for (const id of gone) this.#told.delete(id)
    return { changed, gone }
  }
}
