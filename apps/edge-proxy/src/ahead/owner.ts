/** Which of the commands in flight an untagged response belongs to: by content, because servers answer in any order. */
import { isSpecific, type AnswerKind } from './answers.ts'
import type { Response } from './responses.ts'
import { includesUid } from './uid-set.ts'

/** A command in flight whose responses are recognized. */
export interface Expecting {
  readonly tag: string
  readonly answers: AnswerKind
}

/**
 * Undefined: the response is certainly of none of them. It is then the client's, or the server reports it on its own.
 * Responses to SELECT are not found here: they look like reports, and depend on what came before.
 */
export function ownerOf<Each extends Expecting>(
  response: Response,
  inFlight: readonly Each[],
): Each | undefined {
  for (const each of inFlight) if (answers(response, each)) return each
  return undefined
}

function answers(response: Response, { tag, answers: expected }: Expecting): boolean {
  if (response.kind !== expected.kind) return false
  switch (expected.kind) {
    case 'status':
      return response.kind === 'status' && response.mailbox === expected.mailbox
    case 'esearch':
      return response.kind === 'esearch' && response.tag === tag
    case 'fetch': {
      if (response.kind !== 'fetch') return false
      if (response.uid !== undefined && expected.uids && !includesUid(expected.uids, response.uid))
        return false
      let isSpecial = false
      for (const item of response.items) {
        if (!isSpecific(item)) continue
        if (!expected.items.has(item)) return false
        isSpecial = true
      }
      return isSpecial
    }
    default:
      return true
  }
}
