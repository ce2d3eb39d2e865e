/**
 * Traces of several users, begun one after the other. When one of them fails the others stay begun, and whoever tries
 * again begins only those that are missing, also where only the answer was lost: control does it once for a key.
 */
import type { TraceRequest, TraceView } from '@imapfleet/protocol'
import { signal } from '@preact/signals'
import { newId } from '../api/new-id.ts'
import { Refusal } from '../api/problem.ts'

/** Asks control, once for each key however often it is sent. */
type Start = (request: TraceRequest, key: string) => Promise<TraceView>

export class TraceStarts {
  readonly begun = signal<readonly TraceView[]>([])
  readonly #keys = new Map<string, string>()
  readonly #start: Start

  constructor(start: Start) {
    this.#start = start
  }

  /** Throws what the first one that fails has thrown; those behind it are left for the next try. */
  async start(requests: readonly TraceRequest[]): Promise<void> {
    for (const request of requests) {
      if (this.begun.value.some(({ user }) => user === request.user)) continue
      this.begun.value = [...this.begun.value, await this.#once(request)]
    }
  }

  async #once(request: TraceRequest): Promise<TraceView> {
    const text = JSON.stringify(request)
    const key = this.#keys.get(text) ?? newId()
    this.#keys.set(text, key)
    try {
      return await this.#start(request, key)
    } catch (error) {
      // With the same key control would only say it again, whatever was done about it meanwhile.
      if (isSettled(error)) this.#keys.delete(text)
      throw error
    }
  }
}

/** Refused for good: it is known that nothing was begun. */
const isSettled = (error: unknown) =>
  error instanceof Refusal && !error.isPassing && error.details.code !== 'idempotency_unknown'
