/**
 * The shared part of live views: while at least one is open, the edges are read once a second and sent to each. It keeps no
 * lasting state: a view that reconnects to another replica starts with all edges.
 */
import type { AccessLimits, LiveEdge } from '@imapfleet/api'
import { allowsRegion } from '../../platform/access.ts'

/** An edge as all views send it: JSON, made once. The object stays the same until the edge changes. */
export interface ShownEdge {
  id: string
  region: string
  json: string
}

/** All edges at one moment, or the reason why they are unknown. */
export type LiveNews =
  { kind: 'edges'; at: number; edges: readonly ShownEdge[] } | { kind: 'trouble'; error: unknown }

const stepMs = 1_000

export class LiveFeed {
  readonly #read: () => Promise<LiveEdge[]>
  readonly #now: () => number
  readonly #waiting = new Set<(news: LiveNews) => void>()
  #running = false
  #shown: ReadonlyMap<string, ShownEdge> = new Map()

  constructor(read: () => Promise<LiveEdge[]>, now: () => number) {
    this.#read = read
    this.#now = now
  }

  /** Yields every second, until the signal is aborted. A slow view skips some, and gets the newest. */
  async *news(signal: AbortSignal): AsyncGenerator<LiveNews, void> {
    while (!signal.aborted) {
      const news = await this.#next(signal)
      if (news) yield news
    }
  }

  #next(signal: AbortSignal): Promise<LiveNews | undefined> {
    const { promise, resolve } = Promise.withResolvers<LiveNews | undefined>()
    const stop = () => resolve(undefined)
    signal.addEventListener('abort', stop, { once: true })
    this.#waiting.add(resolve)
    if (!this.#running) void this.#run()
    return promise.finally(() => {
      signal.removeEventListener('abort', stop)
      this.#waiting.delete(resolve)
    })
  }

  async #run(): Promise<void> {
    this.#running = true
    while (this.#waiting.size > 0) {
      const started = this.#now()
      const news = await this.#look()
      for (const tell of this.#waiting) tell(news)
      const { promise, resolve } = Promise.withResolvers<void>()
      setTimeout(resolve, Math.max(0, stepMs - (this.#now() - started)))
      await promise
    }
    this.#running = false
  }

  async #look(): Promise<LiveNews> {
    try {
      const edges = (await this.#read()).map((edge) => this.#show(edge))
      this.#shown = new Map(edges.map((edge) => [edge.id, edge]))
      return { kind: 'edges', edges, at: this.#now() }
    } catch (error) {
      return { kind: 'trouble', error }
    }
  }

  #show(edge: LiveEdge): ShownEdge {
    const { id, region } = edge
    const json = JSON.stringify(edge)
    const before = this.#shown.get(id)
    return before?.json === json ? before : { id, region, json }
  }
}

/** The changes of a live view: edges that changed since they were last sent, and edges that left. */
interface LiveChange {
  changed: ShownEdge[]
  /** Ids of edges that were sent and are no longer there. */
  gone: string[]
}

export class Changes {
  readonly #told = new Map<string, ShownEdge>()
  readonly #limits: AccessLimits
  readonly #region: string | undefined

  constructor(limits: AccessLimits, region: string | undefined) {
    this.#limits = limits
    this.#region = region
  }

  /** The edges that the view has received. */
  get total(): number {
    return this.#told.size
  }

  /** `edges`: all edges of the view. */
  in(edges: readonly ShownEdge[]): LiveChange {
    const shown = edges.filter(
      ({ region }) =>
        allowsRegion(this.#limits, region) && (this.#region === undefined || region === this.#region),
    )
    const changed = shown.filter((edge) => {
      if (this.#told.get(edge.id) === edge) return false
      this.#told.set(edge.id, edge)
      return true
    })
    const there = new Set(shown.map(({ id }) => id))
    const gone = [...this.#told.keys()].filter((id) => !there.has(id))
    for (const id of gone) this.#told.delete(id)
    return { changed, gone }
  }
}
