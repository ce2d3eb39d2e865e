/** Failed requests. Each has a sentence that says what to do. */
import { problemDetailsSchema, type ProblemDetails } from '@imapfleet/api'

/** Control refused the request. */
export class Refusal extends Error {
  readonly details: ProblemDetails

  constructor(details: ProblemDetails) {
    super(details.detail ?? details.title)
    this.name = 'Refusal'
    this.details = details
  }

  /** A retry may succeed. */
  get isPassing(): boolean {
    return this.details.status >= 502
  }

  /** The object does not exist. */
  get isOutage(): boolean {
    return this.details.code === 'database_unavailable'
  }
}

/** No answer, or an answer that is not control's. */
export class Away extends Error {
  constructor(sentence = 'Control does not answer.') {
    super(sentence)
    this.name = 'Away'
  }
}

/** A proxy may have answered instead of control. */
export async function problemOf(response: Response): Promise<Refusal | Away> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('application/problem+json')) {
    const details = problemDetailsSchema.safeParse(await response.json().catch(() => undefined))
    if (details.success) return new Refusal(details.data)
  }
  return new Away(`A proxy in front of control answered with status ${response.status}.`)
}

/** A sentence for any exception. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
