/** Which of the commands in flight an untagged response belongs to: by content, because servers answer in any order. */
import { isSpecific, type AnswerKind } from './answers.ts'
import type { Response } from './responses.ts'
import { isSameName } from './tokens.ts'
import { includesUid } from './uid-set.ts'

/** A command in flight whose responses are recognized. */
export interface Expecting {
  readonly tag: string
  readonly answers: AnswerKind
}

/**
 * Undefined: the response is certainly of none of them. It is then the client's, or the server reports it on its own.
 * Responses to SELECT are not found here: they look like reports, and depend on what came before.
 * @param clients what the client's own commands in flight are answered with
 */
export function ownerOf<Each extends Expecting>(
  response: Response,
  inFlight: readonly Each[],
  clients: readonly AnswerKind[] = [],
): Each | undefined {
  for (const each of inFlight) if (answers(response, each)) return each
  // The server has left out items of STATUS.
  const isAbout = (asked: AnswerKind) =>
    response.kind === 'status' && asked.kind === 'status' && isAboutMailbox(response.mailbox, asked.mailbox)
  return clients.some(isAbout) ? undefined : inFlight.find((each) => isAbout(each.answers))
}

const isAboutMailbox = (told: string | undefined, asked: string): boolean =>
  told !== undefined && isSameName(told, asked)

function answers(response: Response, { tag, answers: expected }: Expecting): boolean {
  if (response.kind !== expected.kind) return false
  switch (expected.kind) {
    case 'status':
      if (response.kind !== 'status' || !isAboutMailbox(response.mailbox, expected.mailbox)) return false
      return (
        response.items.size === expected.items.size &&
        [...expected.items].every((item) => response.items.has(item))
      )
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
