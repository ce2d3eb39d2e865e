/**
 * The mailboxes that the server selects for one session, one after the other. The edge may be ahead of the client: it has then
 * left the client's mailbox for one that the client is expected to select (ADR 52). The client's view of its own mailbox is
 * kept, so that the mailbox can be selected again if the client does something else.
 */
import type { Response } from '../ahead/responses.ts'
import { overlap, type UidSet } from '../ahead/uid-set.ts'

const flaggedMax = 50
const anyUid: UidSet = [[0, Infinity]]

export class Selection {
  /** Grows with each selection. */
  readonly number: number
  /** Undefined: no mailbox is selected. */
  readonly mailbox: string | undefined
  /** The command that selects it again, as the client writes it. Undefined: unknown. */
  readonly command: string | undefined
  /** Number of messages, as reported by the server. Undefined: unknown. */
  count: number | undefined
  uidValidity: number | undefined
  /** UIDs by sequence number, as reported by the server. Undefined: unknown. */
  uids: readonly number[] | undefined
  /** The last FLAGS response and the last OK with PERMANENTFLAGS. They change when a keyword is used for the first time. */
  readonly flagLists = new Map<string, string>()
  /** Messages have arrived or were removed since the answer to SELECT. */
  hasChanged = false
  /**
   * The client has got flags of its messages, or has searched by flags. From then on, a dropped answer with flags would hide a
   * change from the client, and changes are not found after the mailbox was left.
   */
  hasToldFlags = false
  /** Messages whose flags the client has set. After STORE .SILENT, the server reports flags that another program changes again. */
  #flagged: UidSet = []
  /** The server has reported recent messages. They are not recent when the mailbox is selected again (RFC 3501 2.3.2). */
  hasRecent = false
  /** The server may keep the result of a search of the client until the mailbox is left (RFC 5182). */
  hasKeptResult = false

  constructor(number: number, mailbox?: string, command?: string) {
    this.number = number
    this.mailbox = mailbox
    this.command = command
  }

  /** Whether the mailbox can be selected again and its changes be found, after the server has left it. */
  get isKnown(): boolean {
    return this.command !== undefined && this.uids !== undefined && this.uidValidity !== undefined
  }

  /**
   * @param isAnswer whether the response is part of the answer to SELECT
   * @param text the response without `* `, line end included
   */
  note(response: Response, isAnswer: boolean, text: string): void {
    switch (response.kind) {
      case 'exists':
        this.count = response.count
        return this.#change(isAnswer)
      case 'expunge':
        this.count = response.number === undefined || !this.count ? undefined : this.count - 1
        return this.#change(false)
      case 'mailbox-code':
        if (response.code === 'UIDVALIDITY') this.uidValidity = response.value
        if (response.code === 'PERMANENTFLAGS') this.flagLists.set(response.code, text)
        return
      case 'recent':
        this.hasRecent ||= response.count > 0
        return
      case 'flags':
        this.flagLists.set('FLAGS', text)
        return
      default:
    }
  }

  #change(isAnswer: boolean): void {
    this.hasChanged ||= !isAnswer
    this.uids = undefined
  }

  /** The client sets flags. @param uids undefined: of any message */
  noteStore(uids: UidSet | undefined): void {
    const flagged = [...this.#flagged, ...(uids ?? anyUid)]
    this.#flagged = flagged.length > flaggedMax ? anyUid : flagged
  }

  /** Whether the client knows flags of these messages. @param uids undefined: of any message */
  knowsFlags(uids?: UidSet): boolean {
    return this.hasToldFlags || (uids === undefined ? this.#flagged.length > 0 : overlap(uids, this.#flagged))
  }

  /** The result of a search for all messages. It is incomplete if a message is gone whose EXPUNGE was not sent yet. */
  noteAll(uids: readonly number[]): void {
    this.uids = uids.length === this.count ? ascending(uids) : undefined
  }
}

export class Selections {
  /** The server's selection now, as its replies show. */
  server = new Selection(0)
  /** The client's selection, also while its SELECT is unanswered. */
  client = this.server
  /** The server's selection after it has executed all commands that were sent. */
  last = this.server
  /** Whether the select cache may keep the answer to the last SELECT: no change since, and no mailbox was left ahead for it. */
  isCacheable = true
  /** Selections that begin with the reply to an UNSELECT, by the tag of the UNSELECT. */
  readonly #behind = new Map<string, Selection>()
  #lastNumber = 0

  /**
   * A command of the client that selects a mailbox, or leaves it, goes to the server or is answered.
   * @param command as the client writes it, if it can be sent again
   */
  selected(mailbox?: string, command?: string): void {
    this.server = this.client = this.last = new Selection(++this.#lastNumber, mailbox, command)
    this.#behind.clear()
  }

  /**
   * The edge selects a mailbox, or leaves it, ahead of the client.
   * @param unselectTag tag of the UNSELECT before it; undefined: no mailbox was selected
   */
  add(unselectTag: string | undefined, mailbox?: string, command?: string): Selection {
    this.last = new Selection(++this.#lastNumber, mailbox, command)
    if (unselectTag === undefined) this.server = this.last
    else this.#behind.set(unselectTag, this.last)
    return this.last
  }

  /** Whether the server has not reached this selection yet. */
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
