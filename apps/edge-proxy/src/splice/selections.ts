/**
 * The mailboxes that the server selects for one session, one after the other. The edge may be ahead of the client: the server
 * has then left the client's mailbox for one that the client is expected to select (ADR 52). What the client knows of its own one
 * is kept, so that it can be selected again if the client does something else.
 */
import type { Response } from '../ahead/responses.ts'

export class Selection {
  /** In the order of the commands that select. */
  readonly number: number
  /** Undefined: none is selected. */
  readonly mailbox: string | undefined
  /** The command that selects it again, as the client writes it. Undefined: it is not known. */
  readonly command: string | undefined
  /** How many messages it has, by what the server has told. Undefined: not known. */
  count: number | undefined
  uidValidity: number | undefined
  /** Each message at its number, as the server has told them. Undefined: not known. */
  uids: readonly number[] | undefined
  /** Messages have come or gone since the answer to SELECT. */
  hasChanged = false
  /** The client has been told flags of it. An answer with flags that is then dropped would hide a change from the client. */
  hasToldFlags = false

  constructor(number: number, mailbox?: string, command?: string) {
    this.number = number
    this.mailbox = mailbox
    this.command = command
  }

  /** Whether the client could get it back, with all changes, after the server has left it. */
  get isKnown(): boolean {
    return this.command !== undefined && this.uids !== undefined && this.uidValidity !== undefined
  }

  /** @param isAnswer it is part of the answer to SELECT */
  note(response: Response, isAnswer: boolean): void {
    switch (response.kind) {
      case 'exists':
        this.count = response.count
        return this.#change(isAnswer)
      case 'expunge':
        this.count = response.number === undefined || !this.count ? undefined : this.count - 1
        return this.#change(false)
      case 'mailbox-code':
        if (response.code === 'UIDVALIDITY') this.uidValidity = response.value
        return
      default:
    }
  }

  #change(isAnswer: boolean): void {
    this.hasChanged ||= !isAnswer
    this.uids = undefined
  }

  /** A search for all messages has found these. A message that is gone and still has its number is not among them. */
  noteAll(uids: readonly number[]): void {
    this.uids = uids.length === this.count ? ascending(uids) : undefined
  }
}

export class Selections {
  /** What the server has selected, as far as its answers show. */
  server = new Selection(0)
  /** What the client has selected, or is about to select. */
  client = this.server
  /** What the server will have selected once it has answered all commands. */
  last = this.server
  /** Whether the SELECT cache may keep the answer to the last SELECT: nothing has changed since, and nothing was left for it. */
  isCacheable = true
  /** The selections that begin with the reply to an UNSELECT, by its tag. */
  readonly #behind = new Map<string, Selection>()
  #lastNumber = 0

  /**
   * A command of the client that selects another mailbox, or none, goes to the server.
   * @param command as the client writes it, if it can be sent again
   */
  selected(mailbox?: string, command?: string): void {
    this.server = this.client = this.last = new Selection(++this.#lastNumber, mailbox, command)
    this.#behind.clear()
  }

  /**
   * The edge selects a mailbox, or none, ahead of the client.
   * @param unselectTag of the UNSELECT before it; undefined: nothing is selected
   */
  add(unselectTag: string | undefined, mailbox?: string, command?: string): Selection {
    this.last = new Selection(++this.#lastNumber, mailbox, command)
    if (unselectTag === undefined) this.server = this.last
    else this.#behind.set(unselectTag, this.last)
    return this.last
  }

  /** Whether the server has not selected it yet. */
  isAhead({ number }: Selection): boolean {
    return number > this.server.number
  }

  /** A tagged reply of the server. */
  replied(tag: string): void {
    const selection = this.#behind.get(tag)
    if (selection === undefined) return
    this.#behind.delete(tag)
    this.server = selection
  }

  /** The selection that begins with the reply to this UNSELECT. */
  behind(unselectTag: string): Selection | undefined {
    return this.#behind.get(unselectTag)
  }
}

export const ascending = (uids: readonly number[]): number[] => uids.toSorted((one, other) => one - other)
