/**
 * The client of control, with the cookie of the session. The result of every request says whether control answers, and whether the
 * session has ended.
 */
import { clientOf, NoAnswerError, ProblemError, type ApiClient } from '@imapfleet/client'
import { contract } from './contract.ts'
import { isAnsweredFirst, takeFirstAnswer } from './first-answers.ts'
import { nextFrame } from '../ui/next-frame.ts'
import { noteAnswered, noteRefused, noteUnanswered } from './outage.ts'
import { withPages } from './page-names.ts'
import { sessionEnded } from './session.ts'

/** Longer than control needs for any of these. After this time the page shows that its data is old. */
const readTimeoutMs = 8_000

/** Undefined: the page began without answers, so the first request is what it is for. */
const firstFigures = isAnsweredFirst ? nextFrame() : undefined

const client: ApiClient = clientOf(contract, {
  server: new URL(location.origin),
  cookie: true,
  readTimeoutMs,
  known: takeFirstAnswer,
  fetch: async (...request) => {
    await firstFigures
    return await fetch(...request)
  },
})

export const call: ApiClient['call'] = async (name, ...given) => {
  try {
    const answer = await client.call(name, ...given)
    noteApiAnswer()
    return answer
  } catch (error) {
    noteApiFailure(error)
    throw error
  }
}

/** The caller reports the state of its connection, because only the caller knows whether a loss lasts. */
export const { stream } = client

export const noteApiAnswer = (): void => noteAnswered(new Date())

/** An error of a request that was not ended by its own signal. */
export function noteApiFailure(error: unknown): void {
  const isOutage =
    error instanceof NoAnswerError || (error instanceof ProblemError && error.code === 'database_unavailable')
  if (isOutage) noteUnanswered(sentenceOf(error))
  else if (error instanceof ProblemError) noteRefused()
  if (error instanceof ProblemError && error.status === 401) sessionEnded(error)
}

/** A sentence for any exception. */
export function sentenceOf(error: unknown): string {
  if (error instanceof NoAnswerError)
    return {
      network: 'Control does not answer.',
      'other-server': `Another server answered instead of control (${error.reason}).`,
      'other-version': 'This page and control have different versions: reload the page.',
    }[error.kind]
  return error instanceof Error ? withPages(error.message) : String(error)
}
