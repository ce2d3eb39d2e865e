/**
 * Returns to the client's mailbox (ADR 52), if the edge left it for one that the client was expected to select, and the client
 * does something else. The mailbox is selected again, and a list of its messages shows the changes to report to the client.
 */
import { commandOf } from '../ahead/shapes.ts'
import { hasEsearch } from '../imap/capability.ts'
import { verbOf } from '../imap/verb.ts'
import { randomName } from '../server/random-name.ts'
import { AskedAhead } from './asked-ahead.ts'
import { answersOf } from './asking.ts'
import type { Conversation } from './conversation.ts'
import type { Held } from './held.ts'
import { ascending, type Selection, type Selections } from './selections.ts'

/** The two commands of a return. */
interface Return {
  readonly from: Selection
  readonly select: AskedAhead
  readonly search: AskedAhead
  isRefused: boolean
}

export class WayBack {
  readonly #conversation: Conversation
  readonly #held: Held
  readonly #selections: Selections
  readonly #clock: { now(): number }
  #return: Return | undefined
  #isLost = false

  constructor(conversation: Conversation, held: Held, selections: Selections, clock: { now(): number }) {
    this.#conversation = conversation
    this.#held = held
    this.#selections = selections
    this.#clock = clock
  }

  /** Until the server has answered both commands, no command of the client may be sent. */
  get isUnderWay(): boolean {
    return this.#return !== undefined
  }

  /** The changes of the client's mailbox are unknown. The session must end. */
  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * @param from the mailbox as the client knows it
   * @param to the same mailbox, selected again
   * @returns the commands to send to the server
   */
  begin(from: Selection, to: Selection): string {
    const command = from.command ?? ''
    const select = this.#ask(command, to)
    const search = this.#ask('UID SEARCH ALL', to)
    if (select === undefined || search === undefined || from.uids === undefined) {
      this.#isLost = true
      return ''
    }
    this.#conversation.connection.mailboxMayBeSelected()
    this.#selections.isCacheable = false
    this.#return = { from, select, search, isRefused: false }
    return `${select.tag} ${command}\r\n${search.tag} UID SEARCH RETURN (ALL) ALL\r\n`
  }

  #ask(text: string, to: Selection): AskedAhead | undefined {
    const { question } = commandOf(text)
    if (question === undefined) return undefined
    const { connection } = this.#conversation
    const sent = this.#conversation.aheadSent(randomName('E'), verbOf(text))
    const answers = answersOf(question, hasEsearch(connection.capabilities))
    const depth = this.#held.unanswered.length + 1
    // The client's command needs them, so they are no attempt at more commands at once.
    const asked = new AskedAhead(
      { question, answers },
      sent,
      { depth, isTried: true, at: this.#clock.now() },
      to,
    )
    asked.state = 'returning'
    this.#held.add(asked)
    return asked
  }

  /** The server has answered one of the two commands. */
  answered(isOk: boolean): void {
    const current = this.#return!
    const { select, search } = current
    current.isRefused ||= !isOk
    if (select.reply === undefined || search.reply === undefined) return
    this.#return = undefined
    const changes = this.#changes(current)
    if (changes === undefined) this.#isLost = true
    else this.#held.returned(search.responses[0]!.order, changes)
  }

  /** The responses that report the changes to the client. Undefined: the changes are unknown. */
  #changes({ from, select, search, isRefused }: Return): string[] | undefined {
    const { server } = this.#selections
    const isSame = server.uidValidity !== undefined && server.uidValidity === from.uidValidity
    const { found, count } = search
    if (!isSame || isRefused || found === undefined || found.length !== count) return undefined
    const changes = changesSince(from.uids!, ascending(found))
    return changes && [...changedFlags(from, server), ...changedAccess(select), ...changes]
  }
}

/** Responses that list the flags of the mailbox, if they are not those that the client got. */
function changedFlags(from: Selection, now: Selection): string[] {
  const changed = [...now.flagLists].filter(([name, text]) => from.flagLists.get(name) !== text)
  return changed.map(([, text]) => `* ${text}`)
}

/** The mailbox may be read-only now (RFC 9051 7.1). */
function changedAccess({ question, reply = '' }: AskedAhead): string[] {
  const isReadOnly = question.name === 'SELECT' && /^OK +\[READ-ONLY\]/i.test(reply)
  return isReadOnly ? ['* OK [READ-ONLY] The mailbox is read-only\r\n'] : []
}

/**
 * The untagged responses that report the changes of a mailbox, in order.
 * @param known UIDs by sequence number, as the client knows them
 * @param now UIDs by sequence number, as the server has them
 * @returns undefined if no responses could report it: a new UID is lower than a known one
 */
function changesSince(known: readonly number[], now: readonly number[]): string[] | undefined {
  const present = new Set(now)
  const lines: string[] = []
  for (let at = known.length - 1; at >= 0; at--)
    if (!present.has(known[at]!)) lines.push(`* ${at + 1} EXPUNGE\r\n`)
  const kept = known.filter((uid) => present.has(uid))
  const highest = known.at(-1) ?? 0
  if (now.some((uid, index) => (index < kept.length ? uid !== kept[index] : uid <= highest))) return undefined
  return now.length > kept.length ? [...lines, `* ${now.length} EXISTS\r\n`] : lines
}
