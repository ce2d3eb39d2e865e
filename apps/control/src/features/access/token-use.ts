/**
 * Notes when tokens are used, and from where: in the background, accurate to the minute. A request never waits for it and never fails
 * because of it, so reading needs no write.
 */
import type { Deps } from '../../deps.ts'
import { touchTokens } from './queries.ts'

const accuracyMs = 60_000
const delayMs = 1_000
/** Pairs of token and address whose last use is remembered here. */
const usesMax = 10_000

export class TokenUse {
  readonly #deps: Pick<Deps, 'db' | 'now'>
  readonly #notedAt = new Map<string, number>()
  readonly #used = new Map<string, Set<string>>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: Pick<Deps, 'db' | 'now'>) {
    this.#deps = deps
  }

  note(token: string, source: string): void {
    const now = this.#deps.now()
    const use = useOf(token, source)
    const notedAt = this.#notedAt.get(use)
    if (notedAt !== undefined && Math.abs(now - notedAt) < accuracyMs) return
    if (this.#notedAt.size >= usesMax) this.#notedAt.clear()
    this.#notedAt.set(use, now)
    this.#used.set(token, (this.#used.get(token) ?? new Set()).add(source))
    this.#schedule()
  }

  /** Writes the notes. If Postgres refuses the write, the next use is noted again. */
  async write(): Promise<void> {
    const used = new Map(this.#used)
    this.#used.clear()
    try {
      if (used.size > 0) await touchTokens(this.#deps.db.orm, used, new Date(this.#deps.now()))
    } catch {
      for (const [token, sources] of used)
        for (const source of sources) this.#notedAt.delete(useOf(token, source))
    } finally {
      // Only now: while Postgres hangs, at most one such statement waits.
      this.#timer = undefined
      if (this.#used.size > 0) this.#schedule()
    }
  }

  #schedule(): void {
    if (this.#timer) return
    this.#timer = setTimeout(() => void this.write(), delayMs).unref()
  }
}

/** Addresses have no blanks. */
const useOf = (token: string, source: string): string => `${token} ${source}`
