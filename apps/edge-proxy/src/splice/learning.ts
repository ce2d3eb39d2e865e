/**
 * Learns from the server's answers in one session: the round trip, and facts about the user's mailboxes. Expected questions
 * depend on both. ../ahead learns from the client's commands.
 */
import type { Course } from '../ahead/course.ts'
import type { Knowledge } from '../ahead/knowledge.ts'
import { contentTypeBehind, foundIn, type Response } from '../ahead/responses.ts'
import { runtime } from '../runtime.ts'
import type { Selection } from './selections.ts'
import type { SentCommand } from './sent-command.ts'

export class Learning {
  readonly #knowledge: Knowledge
  readonly #course: Course
  /** The last command that went to the server, and when. Undefined: it was measured. */
  #measuring: { readonly command: SentCommand; readonly sentAt: number } | undefined

  constructor(knowledge: Knowledge, course: Course) {
    this.#knowledge = knowledge
    this.#course = course
  }

  /** A command of the client goes to the server. */
  sent(command: SentCommand): void {
    this.#measuring = { command, sentAt: runtime.now() }
  }

  /**
   * The tagged reply to a command has arrived. Replies to other commands say nothing about the time: the edge may have sent an ID
   * long before. Neither do untagged responses: the server may send them without a command.
   */
  replied(command: SentCommand): void {
    if (this.#measuring?.command !== command) return
    const now = runtime.now()
    this.#knowledge.measured(now - this.#measuring.sentAt, now)
    this.#measuring = undefined
  }

  /**
   * An untagged response, whose first line ends with the line feed at `end`.
   * @param selected the mailbox that the server has selected
   * @param search the search that the response answers
   * @returns whether the response may change which questions are expected
   */
  note(
    response: Response,
    selected: Selection,
    search: string | undefined,
    bytes: Buffer,
    end: number,
  ): boolean {
    const isNew = this.#noteFacts(response, selected, search)
    this.#noteContentType(response, selected, bytes, end)
    return isNew
  }

  #noteFacts(response: Response, selected: Selection, search: string | undefined): boolean {
    if (response.kind === 'other') return false
    if (response.kind === 'list' && response.name !== undefined) this.#course.user.noteListed(response.name)
    const mailbox = response.kind === 'status' ? response.mailbox : selected.mailbox
    if (mailbox === undefined) return false
    const facts = this.#course.facts(mailbox)
    const isNew = facts.note(response)
    const uids = search === undefined ? undefined : foundIn(response)
    if (search === undefined || uids === undefined) return isNew
    if (/^UID SEARCH ALL$/i.test(search)) selected.noteAll(uids)
    return facts.noteFound(search, uids) || isNew
  }

  /** Questions about a message depend on its content type, which message lists contain. */
  #noteContentType(response: Response, { mailbox }: Selection, bytes: Buffer, end: number): void {
    if (response.kind !== 'fetch' || response.uid === undefined || mailbox === undefined) return
    const contentType = contentTypeBehind(bytes, end)
    if (contentType !== undefined) this.#course.facts(mailbox).noteContentType(response.uid, contentType)
  }
}
