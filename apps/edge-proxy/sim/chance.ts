/** Repeatable random choices: the same seed gives the same choices. */

export class Chance {
  readonly #seed: number
  #state: number

  constructor(seed: number) {
    this.#seed = seed >>> 0
    this.#state = this.#seed
  }

  /** Returns a new generator that depends only on the seed and the label, not on earlier choices. */
  derive(label: string): Chance {
    let hash = 0x811c9dc5 ^ this.#seed
    for (let at = 0; at < label.length; at++) hash = Math.imul(hash ^ label.charCodeAt(at), 0x01000193)
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
    return new Chance(hash ^ (hash >>> 13))
  }

  /** 0 <= n < 1. */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) >>> 0
    let mixed = this.#state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x21f0aaad)
    mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
    return ((mixed ^ (mixed >>> 15)) >>> 0) / 4_294_967_296
  }

  /** A whole number, 0 <= n < limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  /** A whole number, including both bounds. */
  between(low: number, high: number): number {
    return low + this.below(high - low + 1)
  }

  happens(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(from: readonly T[]): T {
    return from[this.below(from.length)]!
  }

  shuffled<T>(items: readonly T[]): T[] {
    const left = [...items]
    return items.map(() => left.splice(this.below(left.length), 1)[0]!)
  }

  /** Merges the lists at random. Each list keeps its order. */
  interleaved<T>(lists: readonly (readonly T[])[]): T[] {
    const left = lists.map((list) => [...list]).filter((list) => list.length > 0)
    const mixed: T[] = []
    while (left.length > 0) {
      const at = this.below(left.length)
      mixed.push(left[at]!.shift()!)
      if (left[at]!.length === 0) left.splice(at, 1)
    }
    return mixed
  }

  fill(bytes: Buffer): void {
    for (let at = 0; at < bytes.length; at++) bytes[at] = this.below(256)
  }
}
