/**
 * Notes when tokens are used: in the background, accurate to the minute. A request never waits for it and never fails
 * because of it, so reading needs no write.
 */
import type { Deps } from '../../deps.ts'
import { touchTokens } from './queries.ts'

const accuracyMs = 60_000
const delayMs = 1_000
/** Tokens whose last use is remembered here. */
const tokensMax = 10_000

export class TokenUse {
  readonly #deps: Pick<Deps, 'db' | 'now'>
  readonly #notedAt = new Map<string, number>()
  readonly #used = new Set<string>()
  #timer: NodeJS.Timeout | undefined

  constructor(deps: Pick<Deps, 'db' | 'now'>) {
    this.#deps = deps
  }

  note(token: string): void {
    const now = this.#deps.now()
    const notedAt = this.#notedAt.get(token)
    if (notedAt !== undefined && Math.abs(now - notedAt) < accuracyMs) return
    if (this.#notedAt.size >= tokensMax) this.#notedAt.clear()
    this.#notedAt.set(token, now)
    this.#used.add(token)
    this.#schedule()
  }

  /** Writes what was noted. If Postgres does not take it, the next use is noted again. */
  async write(): Promise<void> {
    const tokens = [...this.#used]
    this.#used.clear()
    try {
      if (tokens.length > 0) await touchTokens(this.#deps.db.orm, tokens, new Date(this.#deps.now()))
    } catch {
      for (const token of tokens) this.#notedAt.delete(token)
    } finally {
      // Only now, so that a Postgres that hangs has one such statement at a time.
      this.#timer = undefined
      if (this.#used.size > 0) this.#schedule()
    }
  }

  #schedule(): void {
    if (this.#timer) return
    this.#timer = setTimeout(() => void this.write(), delayMs).unref()
  }
}
