/**
 * Learns from the server's answers in one session: the round trip, and facts about the user's mailboxes. Expected questions
 * depend on both. ../ahead learns from the client's commands.
 */
import type { Course } from '../ahead/course.ts'
import type { Knowledge } from '../ahead/knowledge.ts'
import { contentTypeBehind, foundIn, type Response } from '../ahead/responses.ts'
import { runtime } from '../runtime.ts'
import type { Selection } from './selections.ts'

export class Learning {
  readonly #knowledge: Knowledge
  readonly #course: Course
  /** When the last command went to the server while no other was unanswered. Undefined: the time was measured. */
  #sentAt: number | undefined

  constructor(knowledge: Knowledge, course: Course) {
    this.#knowledge = knowledge
    this.#course = course
  }

  /**
   * A command of the client goes to the server.
   * @param isFirst no other command is unanswered
   */
  sent(isFirst: boolean): void {
    if (isFirst) this.#sentAt = runtime.now()
  }

  /** A tagged reply has arrived. An untagged response says nothing about the time: the server may send it without a command. */
  replied(): void {
    if (this.#sentAt === undefined) return
    const now = runtime.now()
    this.#knowledge.measured(now - this.#sentAt, now)
    this.#sentAt = undefined
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
