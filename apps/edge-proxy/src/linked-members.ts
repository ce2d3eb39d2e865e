/**
 * Collections for objects that come and go with each session. Their members link to each other, so adding and removing one
 * allocates nothing. An object is in one such collection at most.
 *
 * A Set or Map is copied to a new table each time as many members have been added as it holds. Once it has survived a few
 * garbage collections, V8 allocates these tables in the old generation. Each abandoned table then keeps the members of its
 * time, and all that they refer to, until the next full collection. So no session would be collected while it is young,
 * which is most of the cost of garbage collection.
 */

// Symbols keep the fields private to this file, and out of JSON.
const collection = Symbol('collection')
const previous = Symbol('previous')
const next = Symbol('next')
const value = Symbol('value')

/** An object that can be a member. */
export abstract class Linked<Self> {
  [collection]: object | undefined;
  [previous]: Self | undefined;
  [next]: Self | undefined;
  [value]: unknown
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
    return member[collection] === this
  }

  /** False: it is not a member. */
  delete(member: Member): boolean {
    if (!this.has(member)) return false
    const before = member[previous]
    const after = member[next]
    if (before) before[next] = after
    else this.#first = after
    if (after) after[previous] = before
    else this.#last = before
    member[collection] = member[previous] = member[next] = member[value] = undefined
    this.#size--
    return true
  }

  /** In the order in which they were added. Members that are removed while these are read are left out. */
  *keys(): IterableIterator<Member> {
    const members = []
    for (let member = this.#first; member; member = member[next]) members.push(member)
    for (const member of members) if (member[collection] === this) yield member
  }

  protected append(member: Member): void {
    if (member[collection]) throw new Error('an object cannot be in two collections of linked members')
    member[collection] = this
    member[previous] = this.#last
    if (this.#last) this.#last[next] = member
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
    return this.has(member) ? (member[value] as Value) : undefined
  }

  set(member: Member, its: Value): void {
    if (!this.has(member)) this.append(member)
    member[value] = its
  }

  *[Symbol.iterator](): IterableIterator<[Member, Value]> {
    for (const member of this.keys()) yield [member, member[value] as Value]
  }
}
