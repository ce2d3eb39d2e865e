/**
 * What is known about the mailboxes of one user: from this session, from others that run, and from the last one. Facts only
 * choose the questions; no answer is ever made from them.
 */
import type { Response } from './responses.ts'
import { parseUidSet, printUidSet, uidsOf } from './uid-set.ts'

/** The result of one search, and the state of the mailbox when it was given. */
interface Found {
  readonly uids: readonly number[]
  readonly exists: number | undefined
  readonly uidNext: number | undefined
}

const resultsMax = 4
/** Longer results are not remembered, written as a set. */
const resultBytesMax = 2048
const foundMax = 10_000
const sizesMax = 200
const mailboxesMax = 16
const valuesMax = 64
const valueBytesMax = 512
const followingMax = 64
const followingBytesMax = 1024

export class MailboxFacts {
  exists: number | undefined
  uidNext: number | undefined
  #uidValidity: number | undefined
  /** By the text of the search, the one used last at the end. */
  readonly #found = new Map<string, Found>()
  readonly #sizes = new Map<number, number>()

  /** @returns whether anything changed that questions depend on */
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
        // How many messages VANISHED takes away is not looked at.
        this.exists = undefined
        return true
      case 'mailbox-code':
        return this.#noteCode(response.code, response.value)
      case 'fetch':
        if (response.uid !== undefined && response.size !== undefined)
          this.#noteSize(response.uid, response.size)
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
      this.#sizes.clear()
    }
    return isOther
  }

  #noteSize(uid: number, size: number): void {
    this.#sizes.delete(uid)
    this.#sizes.set(uid, size)
    if (this.#sizes.size > sizesMax) removeOldest(this.#sizes)
  }

  sizeOf(uid: number): number | undefined {
    return this.#sizes.get(uid)
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

  /** What the search finds now, as far as can be said. If messages have only been added, a search for all of them finds these too. */
  expected(search: string): readonly number[] | undefined {
    const found = this.#found.get(search)
    if (found === undefined) return undefined
    if (this.exists === undefined || found.exists === undefined || this.exists === found.exists)
      return found.uids
    const added = this.exists - found.exists
    if (added < 0 || added > 1000 || !/ (?:ALL|UNDELETED)$/i.test(search)) return undefined
    if (this.uidNext === undefined || found.uidNext === undefined) return undefined
    if (this.uidNext - found.uidNext !== added) return undefined
    return [...found.uids, ...Array.from({ length: added }, (_, index) => found.uidNext! + index)]
  }

  get bytes(): number {
    let bytes = 100 + this.#sizes.size * 40
    for (const [search, { uids }] of this.#found) bytes += 100 + search.length + uids.length * 8
    return bytes
  }
}

const differs = (before: number | undefined, now: number | undefined): boolean =>
  now !== undefined && now !== before

function removeOldest(map: Map<unknown, unknown>): void {
  for (const key of map.keys()) return void map.delete(key)
}

/** Of one user. Running sessions of the user share it. */
export class UserFacts {
  readonly #mailboxes = new Map<string, MailboxFacts>()
  /** What this user last used for a hole, by the place of the hole. */
  readonly #values = new Map<string, string>()
  readonly #following = new Map<string, string>()

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

  get bytes(): number {
    let bytes = 200
    for (const [command, shape] of this.#following) bytes += 100 + command.length + shape.length
    for (const [name, facts] of this.#mailboxes) bytes += name.length + facts.bytes
    for (const [place, value] of this.#values) bytes += 100 + place.length + value.length
    return bytes
  }
}

/** The last `count` UIDs of a result, or the first, as webmails ask for a page of it. */
export function uidPage(uids: readonly number[], end: 'last' | 'first', count: number): string | undefined {
  return printUidSet(end === 'last' ? uids.slice(-count) : uids.slice(0, count))
}

/** How many UIDs the text names, up to `max`; undefined: it is no set of UIDs. */
export function sizeOfSet(text: string, max: number): number | undefined {
  const set = parseUidSet(text)
  return set && uidsOf(set, max)?.length
}
