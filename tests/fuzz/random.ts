/** Repeatable random choices: the same seed gives the same choices. */

export class Random {
  #state: number

  constructor(seed: number) {
    this.#state = seed >>> 0
  }

  /** 0 <= n < 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }

  /** A whole number below the limit. */
  below(limit: number): number {
    return Math.floor(this.next() * limit)
  }

  chance(of: number): boolean {
    return this.next() < of
  }

  pick<T>(from: readonly [T, ...T[]]): T {
    return from[this.below(from.length)] ?? from[0]
  }

  /** A separate generator, so that the choices of two concurrent actors do not depend on their timing. */
  fork(): Random {
    return new Random(this.below(4_294_967_296))
  }

  bytes(count: number): string {
    return Array.from({ length: count }, () => String.fromCharCode(this.below(256))).join('')
  }

  letters(count: number): string {
    return Array.from({ length: count }, () => String.fromCharCode(97 + this.below(26))).join('')
  }
}

/** Input that breaks parsers. */
const stumbles: readonly [string, ...string[]] = [
  '\r\n',
  '\n',
  '\r',
  '\0',
  ' ',
  '"',
  '\\',
  '(',
  ')',
  '{3}\r\n',
  '{0+}\r\n',
  '{7+}\r\nabcdefg',
  '{99999999999}\r\n',
  '{4294967299+}\r\n',
  '+ \r\n',
  '* BYE x\r\n',
  '* OK [CAPABILITY IMAP4rev1 COMPRESS=DEFLATE] x\r\n',
  'DONE\r\n',
  'x LOGOUT\r\n',
  'a1 OK x\r\n',
  '\u00ff',
]

/** The text, damaged in one to four places. */
export function mutate(random: Random, text: string): string {
  let mutated = text
  for (let times = 1 + random.below(4); times > 0; times--) {
    const at = random.below(mutated.length + 1)
    const end = Math.min(mutated.length, at + random.below(12))
    const [before, part, after] = [mutated.slice(0, at), mutated.slice(at, end), mutated.slice(end)]
    mutated = random.pick([
      () => before + after,
      () => before + part + part + after,
      () => before + random.pick(stumbles) + part + after,
      () => before + random.bytes(1 + random.below(8)) + after,
      () => before + part.toUpperCase() + after,
      () => before,
      () => before + part.replaceAll('\r\n', '\n') + after,
      () => before + part.repeat(1 + random.below(40)) + after,
    ])()
  }
  return mutated
}
