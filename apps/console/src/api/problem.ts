/** What can come of asking control, other than an answer. Each has a sentence that says what to do. */
import { problemDetailsSchema, type ProblemDetails } from '@imapfleet/protocol'

/** Control said no. */
export class Refusal extends Error {
  readonly details: ProblemDetails

  constructor(details: ProblemDetails) {
    super(details.detail ?? details.title)
    this.name = 'Refusal'
    this.details = details
  }

  /** It is about this moment: the same question may be answered in the next. */
  get isPassing(): boolean {
    return this.details.status >= 502
  }

  /** Nothing that control knows can be asked for. */
  get isOutage(): boolean {
    return this.details.code === 'database_unavailable'
  }
}

/** Nothing came, or nothing that control would say. */
export class Away extends Error {
  constructor(sentence = 'Control does not answer.') {
    super(sentence)
    this.name = 'Away'
  }
}

/** Something between us and control may have answered in its place. */
export async function problemOf(response: Response): Promise<Refusal | Away> {
  const type = response.headers.get('content-type') ?? ''
  if (type.includes('application/problem+json')) {
    const details = problemDetailsSchema.safeParse(await response.json().catch(() => undefined))
    if (details.success) return new Refusal(details.data)
  }
  return new Away(`A proxy in front of control answered with status ${response.status}.`)
}

/** A sentence for whatever was thrown. */
export const sentenceOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
