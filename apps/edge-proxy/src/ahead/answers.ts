/**
 * The kinds of responses that answer a command. The server may answer pipelined commands in any order (RFC 9051 5.5), so
 * responses are matched to commands by content. Two commands whose answers look alike are never in flight together.
 */
import { isSameName } from './tokens.ts'
import type { UidSet } from './uid-set.ts'

export type AnswerKind =
  /** Only a tagged reply, and possibly unsolicited responses about the mailbox. */
  | { kind: 'none' }
  /** The data of a newly selected mailbox. */
  | { kind: 'select' }
  | { kind: 'status'; mailbox: string; items: ReadonlySet<string> }
  | {
      kind:
        'list' | 'lsub' | 'namespace' | 'quota' | 'rights' | 'acl' | 'metadata' | 'search' | 'sort' | 'thread'
    }
  /** The answer to SEARCH RETURN, which names the tag (RFC 4731). */
  | { kind: 'esearch' }
  /** `items`: normalized as in `itemKey`. `uids`: undefined for sequence numbers. */
  | { kind: 'fetch'; items: ReadonlySet<string>; uids: UidSet | undefined }
  /** Unknown. */
  | { kind: 'anything' }

/** Items that servers also send in unsolicited responses, so they do not tell one FETCH from another. */
const unspecific = new Set(['UID', 'FLAGS', 'MODSEQ'])

export const isSpecific = (item: string): boolean => !unspecific.has(item)

export function looksAlike(one: AnswerKind, other: AnswerKind): boolean {
  if (one.kind === 'anything' || other.kind === 'anything') return true
  if (one.kind !== other.kind) return false
  switch (one.kind) {
    case 'none':
    case 'esearch':
      return false
    case 'status':
      return other.kind === 'status' && isSameName(one.mailbox, other.mailbox)
    case 'fetch':
      return (
        other.kind !== 'fetch' || [...one.items].some((item) => isSpecific(item) && other.items.has(item))
      )
    default:
      return true
  }
}

/**
 * Whether a response to the client's command could be mistaken for a response to the question. A server may omit items of
 * STATUS but adds none, so an item that only the question asks for identifies its response.
 */
export function isMistakable(client: AnswerKind, question: AnswerKind): boolean {
  if (!looksAlike(client, question)) return false
  if (client.kind !== 'status' || question.kind !== 'status') return true
  return [...question.items].every((item) => client.items.has(item))
}

/**
 * Whether a client cannot tell in which order the server executed two questions. This holds if the answer to one of them never
 * changes, or if one of them depends only on which messages are in the selected mailbox: the server reports each such change,
 * and a report is never sent before older data. Two STATUS commands do not commute: a message that is moved in
 * between could be counted in neither mailbox.
 */
export function commute(one: OrderedQuestion, other: OrderedQuestion): boolean {
  if (one.selects !== undefined || other.selects !== undefined) return false
  if (isFixed(one) || isFixed(other)) return true
  if (one.needsMailbox && other.needsMailbox)
    return one.dependsOn === 'members' || other.dependsOn === 'members'
  return false
}

/** The fields of a question (shapes.ts) that `commute` needs. */
interface OrderedQuestion {
  readonly answers: AnswerKind
  readonly selects: string | undefined
  readonly needsMailbox: boolean
  readonly dependsOn: 'nothing' | 'members' | 'flags'
}

const isFixed = ({ needsMailbox, dependsOn }: OrderedQuestion): boolean =>
  needsMailbox && dependsOn === 'nothing'

/**
 * A FETCH item in a normalized form. Servers print header names and partial ranges in different ways, so these are removed.
 */
export function itemKey(item: string): string {
  const upper = item.toUpperCase()
  const section = /^(BODY|BINARY)(?:\.PEEK)?\[([^\]]*)\]/.exec(upper)
  if (!section) return upper
  return `${section[1]}[${section[2]!.replace(/(HEADER\.FIELDS(?:\.NOT)?).*$/, '$1')}]`
}
