/**
 * Facts about the mailboxes of one user, from all sessions of the user. Facts only select the questions. Answers are never made
 * from them.
 */
import type { Response } from './responses.ts'
import { includesUid, parseUidSet, printUidSet, uidsOf, type UidSet } from './uid-set.ts'

/** The result of one search, and the state of the mailbox when it was given. */
interface Found {
  readonly uids: readonly number[]
  readonly exists: number | undefined
  readonly uidNext: number | undefined
}

interface MessageFacts {
  readonly size?: number
  readonly contentType?: string
}

/** Facts about the last session of the user that has ended. */
export interface SessionFacts {
  /** The mailbox that it selected last, as the client wrote it. */
  readonly mailbox: string | undefined
  /** The shapes of its first and its last command. */
  readonly first: string
  readonly last: string
}

const resultsMax = 4
/** Longer results, printed as a set, are not remembered. */
const resultBytesMax = 2048
const foundMax = 10_000
const messagesMax = 200
const mailboxesMax = 16
const valuesMax = 64
const visitedMax = 64
const valueBytesMax = 512
const listedMax = 32
const followingMax = 64
const followingBytesMax = 1024

export class MailboxFacts {
  exists: number | undefined
  uidNext: number | undefined
  /** A session of the user has selected the mailbox. */
  wasSelected = false
  #uidValidity: number | undefined
  /** By the text of the search, the most recently used last. */
  readonly #found = new Map<string, Found>()
  readonly #messages = new Map<number, MessageFacts>()

  /** @returns whether a fact has changed that questions depend on */
  note(response: Response): boolean {
    switch (response.kind) {
      case 'status': {
        const hasChanged = differs(this.exists, response.messages) || differs(this.uidNext, response.uidNext)
        this.exists = response.messages ?? this.exists
        this.uidNext = response.uidNext ?? this.uidNext
        return hasChanged
      }
      case 'exists': {
        const hasChanged = this.exists !== response.count
        this.exists = response.count
        return hasChanged
      }
      case 'expunge':
        this.#noteExpunge(response.number)
        return true
      case 'mailbox-code':
        return this.#noteCode(response.code, response.value)
      case 'fetch':
        if (response.uid !== undefined && response.size !== undefined)
          this.#noteMessage(response.uid, { size: response.size })
        return false
      default:
        return false
    }
  }

  #noteCode(code: string, value: number | undefined): boolean {
    if (value === undefined) return false
    if (code === 'UIDNEXT') {
      const hasChanged = this.uidNext !== value
      this.uidNext = value
      return hasChanged
    }
    if (code !== 'UIDVALIDITY' || this.#uidValidity === value) return false
    const isOther = this.#uidValidity !== undefined
    this.#uidValidity = value
    if (isOther) {
      this.#found.clear()
      this.#messages.clear()
    }
    return isOther
  }

  /** @param number undefined: it is unknown which messages were removed */
  #noteExpunge(number: number | undefined): void {
    const before = this.exists
    this.exists = before === undefined || number === undefined ? undefined : before - 1
    for (const [search, found] of this.#found) {
      // In a result with all messages, the sequence number is the index.
      const isWhole = before !== undefined && found.exists === before && found.uids.length === before
      if (isWhole && number !== undefined)
        this.#found.set(search, { ...found, uids: found.uids.toSpliced(number - 1, 1), exists: before - 1 })
    }
  }

  #noteMessage(uid: number, facts: MessageFacts): void {
    const known = this.#messages.get(uid)
    this.#messages.delete(uid)
    this.#messages.set(uid, { ...known, ...facts })
    if (this.#messages.size > messagesMax) removeOldest(this.#messages)
  }

  sizeOf(uid: number): number | undefined {
    return this.#messages.get(uid)?.size
  }

  /** @param contentType one of `contentTypes` */
  noteContentType(uid: number, contentType: string): void {
    this.#noteMessage(uid, { contentType })
  }

  contentTypeOf(uid: number): string | undefined {
    return this.#messages.get(uid)?.contentType
  }

  /** @param search the command that was answered with these UIDs */
  noteFound(search: string, uids: readonly number[]): boolean {
    const isLong = uids.length > foundMax || (printUidSet(uids)?.length ?? 0) > resultBytesMax
    if (isLong || search.length > valueBytesMax) return this.#found.delete(search)
    const before = this.#found.get(search)
    this.#found.delete(search)
    this.#found.set(search, { uids, exists: this.exists, uidNext: this.uidNext })
    if (this.#found.size > resultsMax) removeOldest(this.#found)
    return before === undefined || before.uids.join() !== uids.join()
  }

  /** The expected result of the search now. If messages were only added, a search for all messages also finds the new ones. */
  expected(search: string): readonly number[] | undefined {
    const found = this.#found.get(search)
    if (found === undefined) return undefined
    if (this.exists === undefined || found.exists === undefined || this.exists === found.exists)
      return found.uids
    const added = this.exists - found.exists
    if (added < 0 || added > 1000 || !findsAll(search)) return undefined
    if (this.uidNext === undefined || found.uidNext === undefined) return undefined
    if (this.uidNext - found.uidNext !== added) return undefined
    return [...found.uids, ...Array.from({ length: added }, (_, index) => found.uidNext! + index)]
  }

  /** Whether the set has all messages from its first one on, according to the last search for all messages. */
  isTail(set: UidSet): boolean {
    const first = set[0]![0]
    for (const [search, { uids }] of this.#found)
      if (findsAll(search)) return uids.every((uid) => uid < first || includesUid(set, uid))
    return false
  }

  get bytes(): number {
    let bytes = 100 + this.#messages.size * 60
    for (const [search, { uids }] of this.#found) bytes += 100 + search.length + uids.length * 8
    return bytes
  }
}

/** Whether the search is for all messages. */
export const findsAll = (search: string): boolean => / (?:ALL|UNDELETED)$/i.test(search)

const differs = (before: number | undefined, now: number | undefined): boolean =>
  now !== undefined && now !== before

function removeOldest(map: Map<unknown, unknown>): void {
  for (const key of map.keys()) return void map.delete(key)
}

/** Facts of one user, shared by its running sessions. */
export class UserFacts {
  readonly #mailboxes = new Map<string, MailboxFacts>()
  /** The value that this user last used for a hole, by the place of the hole. */
  readonly #values = new Map<string, string>()
  readonly #following = new Map<string, string>()
  /** Places of commands in sessions, by `Book.idOf`. */
  readonly #visited = new Set<number>()
  #last: SessionFacts | undefined
  /** The shape of the last search that was not by sequence number. */
  lastSearch = ''
  #companion: string | undefined
  /** Mailboxes in answers to LIST, as the server wrote them. */
  readonly #listed: string[] = []

  mailbox(name: string): MailboxFacts {
    const facts = this.#mailboxes.get(name) ?? new MailboxFacts()
    this.#mailboxes.delete(name)
    this.#mailboxes.set(name, facts)
    if (this.#mailboxes.size > mailboxesMax) removeOldest(this.#mailboxes)
    return facts
  }

  value(place: string): string | undefined {
    return this.#values.get(place)
  }

  setValue(place: string, value: string): void {
    if (value.length > valueBytesMax) return
    this.#values.delete(place)
    this.#values.set(place, value)
    if (this.#values.size > valuesMax) removeOldest(this.#values)
  }

  /** The shape of the command that last followed this one. */
  following(command: string): string | undefined {
    return this.#following.get(command)
  }

  setFollowing(command: string, shape: string): void {
    if (command.length + shape.length > followingBytesMax) return
    this.#following.delete(command)
    this.#following.set(command, shape)
    if (this.#following.size > followingMax) removeOldest(this.#following)
  }

  /** A session of the user has reached this place. */
  visit(place: number): void {
    this.#visited.add(place)
    if (this.#visited.size > visitedMax)
      for (const oldest of this.#visited) return void this.#visited.delete(oldest)
  }

  /** @param place undefined: a place that the book does not know */
  hasVisited(place: number | undefined): boolean {
    return place !== undefined && this.#visited.has(place)
  }

  /** A session of this user has ended. */
  setLast(session: SessionFacts): void {
    const { mailbox } = session
    this.#last = { ...session, mailbox: (mailbox?.length ?? 0) > valueBytesMax ? undefined : mailbox }
  }

  /** Undefined: no session has ended. */
  get last(): SessionFacts | undefined {
    return this.#last
  }

  /** The mailbox whose counts sessions of this user request, apart from the one that the user reads. */
  get companion(): string | undefined {
    return this.#companion
  }

  setCompanion(mailbox: string): void {
    if (mailbox.length <= valueBytesMax) this.#companion = mailbox
  }

  get listed(): readonly string[] {
    return this.#listed
  }

  /** @param name a mailbox name in an answer to LIST, as the server writes it */
  noteListed(name: string): void {
    // INBOX always exists, also if it is not subscribed.
    if (this.#listed.length === 0) this.#listed.push('INBOX')
    if (this.#listed.length < listedMax && name.length <= valueBytesMax && !this.#listed.includes(name))
      this.#listed.push(name)
  }

  /** Removes all facts. Running sessions learn again. */
  forget(): void {
    for (const each of [this.#mailboxes, this.#values, this.#following, this.#visited]) each.clear()
    this.#listed.length = 0
    this.#last = this.#companion = undefined
    this.lastSearch = ''
  }

  get bytes(): number {
    const { mailbox = '', first = '', last = '' } = this.#last ?? {}
    let bytes = 400 + mailbox.length + first.length + last.length + this.lastSearch.length
    bytes += this.#companion?.length ?? 0
    bytes += this.#visited.size * 40
    for (const name of this.#listed) bytes += 20 + name.length
    for (const [command, shape] of this.#following) bytes += 100 + command.length + shape.length
    for (const [name, facts] of this.#mailboxes) bytes += name.length + facts.bytes
    for (const [place, value] of this.#values) bytes += 100 + place.length + value.length
    return bytes
  }
}

/** One page of a result as a UID set: `count` UIDs from its end or its beginning. `number` counts pages from 1. */
export function uidPage(
  uids: readonly number[],
  end: 'last' | 'first',
  count: number,
  number = 1,
): string | undefined {
  if (!(number > 1)) return printUidSet(end === 'last' ? uids.slice(-count) : uids.slice(0, count))
  const from = count * (number - 1)
  const to = Math.max(0, uids.length - from)
  return printUidSet(
    end === 'last' ? uids.slice(Math.max(0, to - count), to) : uids.slice(from, from + count),
  )
}

/** How many UIDs the set has. Undefined: more than `max`, or not a UID set. */
export function sizeOfSet(text: string, max: number): number | undefined {
  const set = parseUidSet(text)
  return set && uidsOf(set, max)?.length
}
