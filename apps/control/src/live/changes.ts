/** What a live view has not been told yet: each edge that is otherwise than it was when it was told last. */
import type { LiveEdge } from '@imapfleet/protocol'

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

  in(edges: readonly LiveEdge[]): LiveEdge[] {
    return edges.filter((edge) => {
      if (this.#region !== undefined && edge.region !== this.#region) return false
      const text = JSON.stringify(edge)
      if (this.#told.get(edge.id) === text) return false
      this.#told.set(edge.id, text)
      return true
    })
  }
}
