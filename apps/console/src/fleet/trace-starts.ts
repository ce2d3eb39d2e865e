/**
 * Starts traces of several users, one after the other. If one fails, the others continue, and a retry starts only the
 * missing ones. Control starts one trace for each key, so this also works if only the answer was lost.
 */
import type { TraceRequest, TraceView } from '@imapfleet/api'
import { signal } from '@preact/signals'
import { isTransient, newId, ProblemError } from '@imapfleet/client'

/** Requests with the same key start one trace only. */
type Start = (request: TraceRequest, key: string) => Promise<TraceView>

export class TraceStarts {
  readonly started = signal<readonly TraceView[]>([])
  readonly #keys = new Map<string, string>()
  readonly #start: Start

  constructor(start: Start) {
    this.#start = start
  }

  /** Throws the error of the first one that fails; the rest is left for the next try. */
  async start(requests: readonly TraceRequest[]): Promise<void> {
    for (const request of requests) {
      if (this.started.value.some(({ user }) => user === request.user)) continue
      this.started.value = [...this.started.value, await this.#once(request)]
    }
  }

  async #once(request: TraceRequest): Promise<TraceView> {
    const text = JSON.stringify(request)
    const key = this.#keys.get(text) ?? newId()
    this.#keys.set(text, key)
    try {
      return await this.#start(request, key)
    } catch (error) {
      // The same key would return the same refusal, even if the cause was removed.
      if (isSettled(error)) this.#keys.delete(text)
      throw error
    }
  }
}

/** A final refusal: no trace was started. */
const isSettled = (error: unknown) =>
  error instanceof ProblemError && !isTransient(error) && error.code !== 'idempotency_unknown'
