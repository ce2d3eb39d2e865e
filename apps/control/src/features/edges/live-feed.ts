/**
 * Shared by all live views of this process: while at least one is open, the edges are read once a second and sent to
 * each. It keeps no lasting state: a view that reconnects to another replica starts with all edges.
 */
import type { LiveEdge } from '@imapfleet/api'

/** All edges at one moment, or the reason why they are unknown. */
export type LiveNews =
  { kind: 'edges'; at: number; edges: readonly LiveEdge[] } | { kind: 'trouble'; error: unknown }

const stepMs = 1_000

export class LiveFeed {
  readonly #read: () => Promise<LiveEdge[]>
  readonly #now: () => number
  readonly #waiting = new Set<(news: LiveNews) => void>()
  #running = false

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
      return { kind: 'edges', edges: await this.#read(), at: this.#now() }
    } catch (error) {
      return { kind: 'trouble', error }
    }
  }
}
