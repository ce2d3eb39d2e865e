/**
 * The way back to the client's mailbox (ADR 52): the server has left it for one that the client was expected to select, and the
 * client stays. It is selected again, and a list of its messages shows what the client is to be told.
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

/** The two commands that lead back. */
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

  /** Until the server has answered, no command of the client may go up. */
  get isUnderWay(): boolean {
    return this.#return !== undefined
  }

  /** What the client would have to be told of its mailbox is not known. */
  get isLost(): boolean {
    return this.#isLost
  }

  /**
   * @param from the mailbox as the client knows it
   * @returns what goes to the server
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
    const asked = new AskedAhead({ question, answers }, sent, depth, this.#clock.now(), to)
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

  /** What the client is to be told. Undefined: it is not known. */
  #changes({ from, search, isRefused }: Return): string[] | undefined {
    const { server } = this.#selections
    const isSame = server.uidValidity !== undefined && server.uidValidity === from.uidValidity
    const { found, count } = search
    if (!isSame || isRefused || found === undefined || found.length !== count) return undefined
    return changesSince(from.uids!, ascending(found))
  }
}

/**
 * What a client is told of a mailbox that was selected again: without tags, in the order in which it is told.
 * @param known each message at its number, as the client knows it
 * @param now the same, as the server has it
 * @returns undefined if no server could tell it: a UID that is lower than one that is known has appeared
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
