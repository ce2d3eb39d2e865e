/** Commands that have gone up and whose tagged reply has not come down; mostly one, so a list is the fastest map. */
import { hasTag } from '../imap/bytes.ts'
import type { Verb } from '../imap/verb.ts'

const outstandingMax = 1000

export interface Sent {
  tag: string
  verb: Verb
  /** May switch CONDSTORE on, if the server says OK (RFC 7162 3.1). */
  condstore: boolean
  /** Sent by the edge on its own account: the client must not see the reply. */
  own: boolean
}

export class Outstanding {
  #sent: Sent[] = []
  #own = 0

  /** So many that the client must wait: every reply is looked for among them. */
  get isFull(): boolean {
    return this.#sent.length >= outstandingMax
  }

  /** Whether every command of the client has been answered. */
  get isClientDone(): boolean {
    return this.#sent.length === this.#own
  }

  get hasOwn(): boolean {
    return this.#own > 0
  }

  /** Whether it is not known what the connection will be when all is answered. */
  get isUncertain(): boolean {
    return this.#sent.some((sent) => sent.condstore || sent.verb === 'ENABLE')
  }

  /** Whether a command under way may select a mailbox. */
  get isSelecting(): boolean {
    return this.#sent.some((sent) => sent.verb === 'SELECT' || sent.verb === 'EXAMINE')
  }

  /** Whether a command under way asks for FETCH responses. */
  get isFetching(): boolean {
    return this.#sent.some((sent) => sent.verb === 'FETCH' || sent.verb === 'UID' || sent.verb === 'STORE')
  }

  get tags(): string[] {
    return this.#sent.map((sent) => sent.tag)
  }

  add(sent: Sent): void {
    this.#sent.push(sent)
    if (sent.own) this.#own++
  }

  /** Whether a command of this tag is unanswered. */
  has(tag: string): boolean {
    return this.#sent.some((sent) => sent.tag === tag)
  }

  /** The command that a tagged reply answers, which is then no longer outstanding. */
  take(bytes: Buffer, start: number, end: number): Sent | undefined {
    for (let index = 0; index < this.#sent.length; index++) {
      const sent = this.#sent[index]!
      if (!hasTag(bytes, start, end, sent.tag)) continue
      if (this.#sent.length === 1) this.#sent = []
      else this.#sent.splice(index, 1)
      if (sent.own) this.#own--
      return sent
    }
    return undefined
  }
}
