/** A selected mailbox on one connection to a simulated server: the client's view, and the commands on the mailbox. */
import type { Command } from './command-reader.ts'
import { partOf, sizeOf, type Mailbox, type Message } from './mail-store.ts'
import type { Scheduler } from './scheduler.ts'
import type { Belief } from './session-record.ts'

/** Untagged data, and the reply without its tag. */
export interface Answer {
  readonly data: readonly string[]
  readonly tagged: string
}

const answer = (tagged: string, ...data: string[]): Answer => ({ tagged, data })

export class Selection {
  readonly mailbox: Mailbox
  readonly readOnly: boolean
  /** The UIDs that were reported to the client, by sequence number. */
  readonly view: number[]
  readonly #enabled: ReadonlySet<string>
  readonly #scheduler: Scheduler
  /** The modseq up to which flags were reported to the client, and of single messages whose later flags it knows. */
  #toldModseq: number
  readonly #toldOf = new Map<number, number>()
  /** How many keywords of the mailbox were reported to the client. */
  #toldKeywords: number
  #changedAt: number | undefined
  /** The saved search result (RFC 5182): UIDs, and the tag of the search. */
  #saved: { uids: readonly number[]; tag: string } | undefined

  /** @param enabled extensions of the connection */
  constructor(mailbox: Mailbox, readOnly: boolean, enabled: ReadonlySet<string>, scheduler: Scheduler) {
    this.mailbox = mailbox
    this.readOnly = readOnly
    this.view = mailbox.messages.map(({ uid }) => uid)
    this.#enabled = enabled
    this.#scheduler = scheduler
    this.#toldModseq = mailbox.modseq
    this.#toldKeywords = mailbox.keywords.size
  }

  /** The FLAGS response (RFC 9051 7.3.5). */
  get flagList(): string {
    const flags = ['\\Answered', '\\Flagged', '\\Deleted', '\\Seen', '\\Draft', ...this.mailbox.keywords]
    return `* FLAGS (${flags.join(' ')})\r\n`
  }

  /** Reports keywords that were used for the first time. They precede FETCH responses with these keywords. */
  #newKeywords(): string[] {
    const { size } = this.mailbox.keywords
    if (size === this.#toldKeywords) return []
    this.#toldKeywords = size
    return [this.flagList]
  }

  /** When it was changed after the SELECT, as a number of events: by this connection, or by others as reported to the edge. */
  get changedAt(): number | undefined {
    return this.#changedAt
  }

  /** The tag of the search whose result is saved. */
  get savedBy(): string | undefined {
    return this.#saved?.tag
  }

  changed(): void {
    this.#changedAt ??= this.#scheduler.events
  }

  /** Reports changes by others. EXPUNGE is sent only where the client may receive it (RFC 9051 7.5.1). */
  tell(mayExpunge: boolean): string[] {
    const { mailbox, view } = this
    const lines: string[] = []
    const present = new Set(mailbox.messages.map(({ uid }) => uid))
    if (mayExpunge)
      for (let at = view.length - 1; at >= 0; at--) {
        if (present.has(view[at]!)) continue
        view.splice(at, 1)
        lines.push(`* ${at + 1} EXPUNGE\r\n`)
      }
    const known = view.at(-1) ?? 0
    // A message that was added and removed before it was reported is not reported at all.
    const unseen = mailbox.messages.filter(({ uid }) => uid > known)
    if (unseen.length > 0) {
      for (const { uid } of unseen) view.push(uid)
      lines.push(`* ${view.length} EXISTS\r\n`)
    }
    lines.push(...this.#newKeywords())
    for (const message of mailbox.messages) {
      const at = view.indexOf(message.uid)
      if (at >= 0 && !this.#isTold(message))
        lines.push(`* ${at + 1} FETCH (UID ${message.uid} ${this.#flagsOf(message)})\r\n`)
    }
    this.#toldModseq = mailbox.modseq
    return lines
  }

  #isTold({ uid, flaggedAt }: Message): boolean {
    return flaggedAt <= Math.max(this.#toldModseq, this.#toldOf.get(uid) ?? 0)
  }

  /** The flags of each message in the view, as the client should know them after `tell`. */
  get flags(): ReadonlyMap<number, ReadonlySet<string>> {
    const present = this.view.flatMap((uid) => this.mailbox.find(uid) ?? [])
    return new Map(present.map(({ uid, flags }) => [uid, new Set(flags)]))
  }

  #flagsOf({ flags, modseq }: Message, ...more: string[]): string {
    const list = `FLAGS (${[...flags, ...more].join(' ')})`
    return this.#enabled.has('CONDSTORE') ? `${list} MODSEQ (${modseq})` : list
  }

  expunge(): void {
    if (this.readOnly) return
    const { mailbox } = this
    for (const { uid, flags } of [...mailbox.messages]) if (flags.has('\\Deleted')) mailbox.remove(uid)
  }

  /** @param stamp marks the data as the answer to this command */
  run(command: Command, verb: string, stamp: string): Answer {
    const byUid = verb.startsWith('UID ')
    const rest = byUid ? command.rest.replace(/^\S+ /, '') : command.rest
    const [set = '', ...items] = rest.split(' ')
    const wanted = items.join(' ')
    switch (verb) {
      case 'FETCH':
      case 'UID FETCH': {
        const since = Number(/CHANGEDSINCE (\d+)/i.exec(wanted)?.[1] ?? 0)
        const lines = this.#chosen(set, byUid)
          .filter(({ message }) => message.modseq > since)
          .map(({ sequence, message }) => this.#fetched(stamp, sequence, message, wanted))
        return answer('OK done', ...this.#newKeywords(), ...lines)
      }
      case 'STORE':
      case 'UID STORE':
        return this.readOnly ? answer('NO read-only') : this.#store(this.#chosen(set, byUid), wanted, stamp)
      case 'SEARCH':
      case 'UID SEARCH':
        return this.#search(rest, byUid, command.tag)
      case 'EXPUNGE':
      case 'UID EXPUNGE':
        this.expunge()
        return answer(this.readOnly ? 'NO read-only' : 'OK done')
      default:
        return answer('BAD unknown command')
    }
  }

  #store(chosen: readonly Chosen[], wanted: string, stamp: string): Answer {
    const flags = /\(([^)]*)\)/.exec(wanted)?.[1]?.split(' ') ?? []
    const lines = this.#newKeywords()
    const isSilent = /\.SILENT/i.test(wanted)
    for (const { sequence, message } of chosen) {
      for (const flag of flags)
        if (wanted.startsWith('-')) message.flags.delete(flag)
        else message.flags.add(flag)
      this.#flag(message, !isSilent)
      if (!isSilent) lines.push(this.#fetched(stamp, sequence, message, 'FLAGS'))
    }
    return answer('OK done', ...lines)
  }

  /**
   * This connection has changed the flags of a message. Other changes that were not reported before are still reported.
   * @param isReported whether the answer has all flags of the message
   */
  #flag(message: Message, isReported: boolean): void {
    const isTold = isReported || this.#isTold(message)
    this.mailbox.flag(message)
    if (isTold) this.#toldOf.set(message.uid, message.modseq)
    this.changed()
  }

  #search(rest: string, byUid: boolean, tag: string): Answer {
    const numbers = /^(?:RETURN \(ALL\) )?(\d+|\*)$/i.exec(rest)?.[1] ?? '1:*'
    const messages = this.#chosen(numbers, false).filter(
      ({ message }) => !/UNSEEN/i.test(rest) || !message.flags.has('\\Seen'),
    )
    const isSaved = /^RETURN \(SAVE/i.test(rest)
    if (isSaved) this.#saved = { uids: messages.map(({ message }) => message.uid), tag }
    if (/^RETURN \(SAVE\)/i.test(rest)) return answer('OK done')
    const found = messages.map(({ sequence, message }) => (byUid ? message.uid : sequence))
    const all = found.length > 0 ? ` ALL ${found.join(',')}` : ''
    return answer(
      'OK done',
      /^RETURN/i.test(rest)
        ? `* ESEARCH (TAG "${tag}")${byUid ? ' UID' : ''}${all}\r\n`
        : `* SEARCH${found.map((number) => ` ${number}`).join('')}\r\n`,
    )
  }

  /** The UIDs of the messages that answers can contain. */
  get answerable(): number[] {
    return this.#chosen('1:*', false).map(({ message }) => message.uid)
  }

  #chosen(set: string, byUid: boolean): Chosen[] {
    if (set === '$') return this.#chosen(this.#saved?.uids.join(',') ?? '', true)
    const { view, mailbox } = this
    const highest = byUid ? (view.at(-1) ?? 0) : view.length
    const ranges = set.split(',').map((part) => {
      const [from = 0, to = from] = part.split(':').map((text) => (text === '*' ? highest : Number(text)))
      return [Math.min(from, to), Math.max(from, to)] as const
    })
    return view.flatMap((uid, index) => {
      const number = byUid ? uid : index + 1
      const message = mailbox.find(uid)
      if (!message || !ranges.some(([from, to]) => number >= from && number <= to)) return []
      return [{ sequence: index + 1, message }]
    })
  }

  /** Messages have a first and a second part, and the second one has no header. */
  #partOf({ uid }: Message, name: string, bytesMax = Infinity): string {
    const content = partOf(this.mailbox.owner, name, uid)?.slice(0, bytesMax)
    return content === undefined ? 'NIL' : `{${content.length}}\r\n${content}`
  }

  #fetched(stamp: string, sequence: number, message: Message, wanted: string): string {
    const body = /BODY(\.PEEK)?\[\]/i.exec(wanted)
    if (body && body[1] === undefined && !this.readOnly && !message.flags.has('\\Seen')) {
      message.flags.add('\\Seen')
      this.#flag(message, true)
    }
    // An edge recognizes the answer to its own question by its items, so the stamp of one is a flag.
    const isOfEdge = stamp.startsWith('$')
    const items = [`UID ${message.uid}`]
    if (/FLAGS/i.test(wanted) || (body && !isOfEdge))
      items.push(isOfEdge ? this.#flagsOf(message, stamp) : this.#flagsOf(message))
    else if (this.#enabled.has('CONDSTORE')) items.push(`MODSEQ (${message.modseq})`)
    if (/RFC822\.SIZE/i.test(wanted)) items.push(`RFC822.SIZE ${sizeOf(message)}`)
    if (!isOfEdge) items.push(stamp)
    if (body) items.push(`BODY[] {${message.body.length}}\r\n${message.body}`)
    const parts = [...wanted.matchAll(/BODY\.PEEK\[([\d.]+(?:MIME)?)\](?:<0\.(\d+)>)?/gi)]
    for (const [, name = '', bytesMax] of message.uid % 2 === 0 ? parts : parts.toReversed())
      items.push(
        bytesMax === undefined
          ? `BODY[${name}] ${this.#partOf(message, name)}`
          : `BODY[${name}]<0> ${this.#partOf(message, name, Number(bytesMax))}`,
      )
    return `* ${sequence} FETCH (${items.join(' ')})\r\n`
  }
}

interface Chosen {
  readonly sequence: number
  readonly message: Message
}

/** In one order, so that two lists can be compared. */
export const printFlags = (flags: Iterable<string>): string => [...flags].sort().join(' ')

/** Whether a client is right about the selection of its connection. */
export function isAsBelieved(selection: Selection | undefined, belief: Belief): boolean {
  if (belief.kind === 'unknown') return true
  if (belief.kind === 'none') return selection === undefined
  const { mailbox, readOnly, savedBy } = belief
  if (selection?.mailbox.name !== mailbox || selection.readOnly !== readOnly) return false
  return savedBy === 'unknown' || selection.savedBy === savedBy
}

/** For findings. */
export function describe(selection: Selection | undefined): string {
  if (selection === undefined) return 'nothing'
  const { mailbox, readOnly, savedBy = 'no search' } = selection
  return `${mailbox.name}${readOnly ? ' (read-only)' : ''}, with the result of ${savedBy},`
}
