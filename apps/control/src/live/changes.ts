/** What a live view has not been told yet: each edge that is otherwise than it was when it was told last, or is gone. */
import type { LiveEdge } from '@imapfleet/protocol'

export interface LiveChange {
  changed: LiveEdge[]
  /** Names of edges that were told and are not there any more. */
  gone: string[]
}

export class Changes {
  readonly #told = new Map<string, string>()
  readonly #region: string | undefined

  constructor(region: string | undefined) {
    this.#region = region
  }

  /** Edges that the view has been told of. */
  get total(): number {
    return this.#told.size
  }

  /** `edges`: all there are. */
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
