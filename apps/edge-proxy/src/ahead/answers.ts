/**
 * What the responses to a command look like. The server may answer pipelined commands in any order (RFC 9051 5.5), so a
 * response is attributed by its content. Two commands whose answers look alike are never in flight together.
 */
import { isSameName } from './tokens.ts'
import type { UidSet } from './uid-set.ts'

export type AnswerKind =
  /** No untagged data of its own: a tagged reply, and what the server reports of the mailbox. */
  | { kind: 'none' }
  /** The data of a newly selected mailbox. */
  | { kind: 'select' }
  | { kind: 'status'; mailbox: string; items: ReadonlySet<string> }
  | {
      kind:
        'list' | 'lsub' | 'namespace' | 'quota' | 'rights' | 'acl' | 'metadata' | 'search' | 'sort' | 'thread'
    }
  /** SEARCH RETURN: its response names the tag (RFC 4731). */
  | { kind: 'esearch' }
  /** `items`: normalized as in `itemKey`. `uids`: undefined for sequence numbers. */
  | { kind: 'fetch'; items: ReadonlySet<string>; uids: UidSet | undefined }
  /** Not known. */
  | { kind: 'anything' }

/** Items that a server also sends unasked, so they do not tell one FETCH from another. */
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
 * Whether a response to the client's command could be taken for one to the question. A server may leave out items of STATUS,
 * but it adds none, so one that only the question asks for tells whose the response is.
 */
export function isMistakable(client: AnswerKind, question: AnswerKind): boolean {
  if (!looksAlike(client, question)) return false
  if (client.kind !== 'status' || question.kind !== 'status') return true
  return [...question.items].every((item) => client.items.has(item))
}

/**
 * Whether a client cannot tell in which order the server has executed two questions: one of them never changes, or they
 * depend on nothing but which messages are in the selected mailbox. That changes only where the server tells it, and what is
 * told later than an answer is held behind it. STATUS of two mailboxes do not commute: a message that is moved meanwhile
 * could be in neither.
 */
export function commute(one: OrderedQuestion, other: OrderedQuestion): boolean {
  if (one.selects !== undefined || other.selects !== undefined) return false
  if (isFixed(one) || isFixed(other)) return true
  if (one.needsMailbox && other.needsMailbox)
    return one.dependsOn === 'members' || other.dependsOn === 'members'
  return false
}

/** What `commute` needs of a question (shapes.ts). */
interface OrderedQuestion {
  readonly answers: AnswerKind
  readonly selects: string | undefined
  readonly needsMailbox: boolean
  readonly dependsOn: 'nothing' | 'members' | 'flags'
}

const isFixed = ({ needsMailbox, dependsOn }: OrderedQuestion): boolean =>
  needsMailbox && dependsOn === 'nothing'

/**
 * A FETCH item as a response names it. Servers print header names and partial ranges in forms of their own, so these are
 * left out.
 */
export function itemKey(item: string): string {
  const upper = item.toUpperCase()
  const section = /^(BODY|BINARY)(?:\.PEEK)?\[([^\]]*)\]/.exec(upper)
  if (!section) return upper
  return `${section[1]}[${section[2]!.replace(/(HEADER\.FIELDS(?:\.NOT)?).*$/, '$1')}]`
}
