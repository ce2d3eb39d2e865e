/**
 * What is learned from the server's answers to one session: how soon it answers, and what its mailboxes contain. Expected
 * questions depend on both. What the client's commands teach is in ../ahead.
 */
import type { Course } from '../ahead/course.ts'
import type { Knowledge } from '../ahead/knowledge.ts'
import { contentTypeBehind, foundIn, type Response } from '../ahead/responses.ts'
import { runtime } from '../runtime.ts'
import type { Selection } from './selections.ts'

export class Learning {
  readonly #knowledge: Knowledge
  readonly #course: Course
  /** When a command went to the server that had nothing else to do. */
  #sentAt: number | undefined

  constructor(knowledge: Knowledge, course: Course) {
    this.#knowledge = knowledge
    this.#course = course
  }

  /**
   * A command goes to the server.
   * @param isAlone the server has nothing else to do
   */
  sent(isAlone: boolean): void {
    this.#sentAt = isAlone ? runtime.now() : undefined
  }

  /** The server sends something. */
  received(): void {
    if (this.#sentAt === undefined) return
    this.#knowledge.measured(runtime.now() - this.#sentAt)
    this.#sentAt = undefined
  }

  /**
   * An untagged response of the server, whose first line is up to its line feed at `end`.
   * @param selected what the server has selected
   * @param search the one that it answers
   * @returns whether it may change what is expected
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

  /** What clients ask about a message depends on its content type, which lists show. */
  #noteContentType(response: Response, { mailbox }: Selection, bytes: Buffer, end: number): void {
    if (response.kind !== 'fetch' || response.uid === undefined || mailbox === undefined) return
    const contentType = contentTypeBehind(bytes, end)
    if (contentType !== undefined) this.#course.facts(mailbox).noteContentType(response.uid, contentType)
  }
}
