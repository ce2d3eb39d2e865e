/**
 * Collections for objects that come and go with each session. Their members link to each other, so adding and removing one
 * allocates nothing. An object is in one such collection at most.
 *
 * A Set or Map is copied to a new table each time as many members have been added as it holds. Once it has survived a few
 * garbage collections, V8 allocates these tables in the old generation. Each abandoned table then keeps the members of its
 * time, and all that they refer to, until the next full collection. So no session would be collected while it is young,
 * which is most of the cost of garbage collection.
 */

/** An object that can be a member. The fields belong to the collection that it is in. */
export abstract class Linked<Self> {
  memberOf: object | undefined
  previousMember: Self | undefined
  nextMember: Self | undefined
  memberValue: unknown
}

/** What may be done with a collection by others than its owner. */
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

  /** In the order in which they were added. Members that are removed while these are read are left out. */
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
