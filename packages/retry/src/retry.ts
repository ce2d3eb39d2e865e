/**
 * Pauses between attempts, for every loop that tries again: each is longer than the one before, with jitter, and ends
 * when a signal is aborted. It runs in Node and in browsers.
 */

export interface BackoffOptions {
  /** The first pause. Each one is twice as long as the one before. */
  firstMs: number
  /** The longest pause. */
  lastMs: number
  /** From 0 to 1, for the jitter. */
  random?: () => number
}

/** The pause after this number of failures, for callers that store the number. */
export function backoffMs(
  failures: number,
  { firstMs, lastMs, random = Math.random }: BackoffOptions,
): number {
  return Math.min(lastMs, firstMs * 2 ** Math.min(failures, 30)) * (0.5 + random() / 2)
}

export class Backoff {
  readonly #options: Required<BackoffOptions>
  #failures = 0

  constructor(options: BackoffOptions) {
    this.#options = { random: Math.random, ...options }
  }

  /** The attempt succeeded: the next pause is the first one again. */
  reset(): void {
    this.#failures = 0
  }

  /**
   * The length of the next pause: from half of it to all of it, so that clients that lost the same server do not
   * return at the same moment.
   */
  nextMs(): number {
    const ms = backoffMs(this.#failures, this.#options)
    this.#failures += 1
    return ms
  }

  /** Resolves after the next pause, and immediately when the signal is aborted. */
  async pause(signal?: AbortSignal): Promise<void> {
    await pause(this.nextMs(), signal)
  }
}

export interface RetryOptions extends BackoffOptions {
  /** Unlimited if left out. */
  attemptsMax?: number
  /** False for errors that another attempt would not change. If left out, every error is retried. */
  isPassing?: (error: unknown) => boolean
  /** Called before each pause. */
  onFailure?: (error: unknown) => void
  /** When it is aborted, the last error is thrown without another attempt. */
  signal?: AbortSignal | undefined
}

/** The result of the first attempt that succeeds. Throws the error of the last one. */
export async function retry<T>(attempt: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { attemptsMax = Infinity, isPassing = () => true, onFailure, signal } = options
  const backoff = new Backoff(options)
  for (let attempts = 1; ; attempts += 1) {
    try {
      return await attempt()
    } catch (error) {
      if (attempts >= attemptsMax || signal?.aborted || !isPassing(error)) throw error
      onFailure?.(error)
      await backoff.pause(signal)
      if (signal?.aborted) throw error
    }
  }
}

/** Resolves after this time, and immediately when the signal is aborted. It never rejects. */
export async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  const end = () => resolve()
  const timer = setTimeout(end, ms)
  signal?.addEventListener('abort', end, { once: true })
  await promise
  clearTimeout(timer)
  signal?.removeEventListener('abort', end)
}
