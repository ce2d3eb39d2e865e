/**
 * Collections for objects that live as long as a session. Their members link to each other, so adding and removing a member
 * allocates no memory. An object can be in only one such collection.
 *
 * A Set or Map copies its members to a new table after as many additions as the table has room for. After a few garbage
 * collections, V8 allocates these tables in the old generation. Each old table then keeps its former members, and all objects
 * that they refer to, until the next full collection. Sessions would then never be collected by the cheap collections of the
 * young generation.
 */

/** An object that can be a member. Only its collection uses the fields. */
export abstract class Linked<Self> {
  memberOf: object | undefined
  previousMember: Self | undefined
  nextMember: Self | undefined
  memberValue: unknown
}

/** The read-only part of a collection. */
export interface Members<Member> {
  readonly size: number
  has(member: Member): boolean
}

abstract class LinkedMembers<Member extends Linked<Member>> implements Members<Member> {
  #first: Member | undefined
  #last: Member | undefined
  #size = 0

  get size(): number {
    return this.#size
  }

  /** The member that was added first. */
  get first(): Member | undefined {
    return this.#first
  }

  has(member: Member): boolean {
    return member.memberOf === this
  }

  /** False: it is not a member. */
  delete(member: Member): boolean {
    if (!this.has(member)) return false
    const before = member.previousMember
    const after = member.nextMember
    if (before) before.nextMember = after
    else this.#first = after
    if (after) after.previousMember = before
    else this.#last = before
    member.memberOf = member.previousMember = member.nextMember = member.memberValue = undefined
    this.#size--
    return true
  }

  /** The members in the order of their addition. Members that are removed during the iteration are left out. */
  *keys(): IterableIterator<Member> {
    const members = []
    for (let member = this.#first; member; member = member.nextMember) members.push(member)
    for (const member of members) if (member.memberOf === this) yield member
  }

  protected append(member: Member): void {
    if (member.memberOf) throw new Error('an object cannot be in two collections of linked members')
    member.memberOf = this
    member.previousMember = this.#last
    if (this.#last) this.#last.nextMember = member
    else this.#first = member
    this.#last = member
    this.#size++
  }
}

export interface ReadonlyLinkedSet<Member> extends Members<Member>, Iterable<Member> {}

export class LinkedSet<Member extends Linked<Member>>
  extends LinkedMembers<Member>
  implements ReadonlyLinkedSet<Member>
{
  add(member: Member): void {
    if (!this.has(member)) this.append(member)
  }

  [Symbol.iterator](): IterableIterator<Member> {
    return this.keys()
  }
}

export interface ReadonlyLinkedMap<Member, Value> extends Members<Member>, Iterable<[Member, Value]> {
  get(member: Member): Value | undefined
  keys(): Iterable<Member>
}

/** Keeps a value for each member. */
export class LinkedMap<Member extends Linked<Member>, Value>
  extends LinkedMembers<Member>
  implements ReadonlyLinkedMap<Member, Value>
{
  get(member: Member): Value | undefined {
    return this.has(member) ? (member.memberValue as Value) : undefined
  }

  set(member: Member, value: Value): void {
    if (!this.has(member)) this.append(member)
    member.memberValue = value
  }

  *[Symbol.iterator](): IterableIterator<[Member, Value]> {
    for (const member of this.keys()) yield [member, member.memberValue as Value]
  }
}
