/** Finds the command in flight that an untagged response answers, by content, because servers answer in any order. */
import { isSpecific, type AnswerKind } from './answers.ts'
import type { Response } from './responses.ts'
import { isSameName } from './tokens.ts'
import { includesUid } from './uid-set.ts'

/** A command in flight, and the kind of its responses. */
export interface Expecting {
  readonly tag: string
  readonly answers: AnswerKind
}

/**
 * Responses to SELECT are not recognized here: they look like unsolicited responses and depend on the context.
 * @param clients the kinds of answers to the client's own commands in flight
 * @returns undefined if the response answers none of them: it is for the client, or unsolicited
 */
export function ownerOf<Each extends Expecting>(
  response: Response,
  inFlight: readonly Each[],
  clients: readonly AnswerKind[] = [],
): Each | undefined {
  for (const each of inFlight) if (answers(response, each)) return each
  // The server may have omitted items of STATUS.
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
