/**
 * What all live views of this process share: while anybody looks, the edges are read once a second, and each is told. It
 * remembers nothing that matters: a view that comes to another replica begins with all edges again.
 */
import type { LiveEdge } from '@imapfleet/protocol'

/** All edges at a moment, or why they cannot be told. */
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

  /** Each second, until the signal is aborted. A view that is slow misses some, and is told the newest. */
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
      const begun = this.#now()
      const news = await this.#look()
      for (const tell of this.#waiting) tell(news)
      const { promise, resolve } = Promise.withResolvers<void>()
      setTimeout(resolve, Math.max(0, stepMs - (this.#now() - begun)))
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
