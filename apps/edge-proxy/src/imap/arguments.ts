/** Parses the arguments of a complete command, literals included, into a tree. */
import { BACKSLASH, CLOSE_BRACE, CR, LF, OPEN_BRACE, PLUS, QUOTE, SP, TILDE } from './bytes.ts'

/** An atom, a string (quoted or literal) or a list of these. NIL is an atom. */
export type Argument = { kind: 'atom' | 'string'; bytes: Buffer } | { kind: 'list'; items: Argument[] }

const OPEN = 40
const CLOSE = 41
const depthMax = 20

/** Parses from `at` to the end of the command. Undefined: invalid (RFC 9051 section 9). */
export function parseArguments(command: Buffer, at: number): Argument[] | undefined {
  const cursor = new Cursor(command, at)
  return cursor.list(0)
}

class Cursor {
  readonly #bytes: Buffer
  #at: number

  constructor(bytes: Buffer, at: number) {
    this.#bytes = bytes
    this.#at = at
  }

  /** The items up to a closing parenthesis or, at depth 0, to the end of the command. */
  list(depth: number): Argument[] | undefined {
    const items: Argument[] = []
    for (;;) {
      const start = this.#at
      while (this.#bytes[this.#at] === SP) this.#at++
      const byte = this.#bytes[this.#at]
      if (this.#isAtEnd(byte)) return depth === 0 ? items : undefined
      if (byte === undefined) return undefined
      if (byte === CLOSE) {
        if (depth === 0) return undefined
        this.#at++
        return items
      }
      if (items.length > 0 && this.#at === start) return undefined
      const item = this.#item(byte, depth)
      if (item === undefined) return undefined
      items.push(item)
    }
  }

  /** Whether nothing is left of the command, or only its line end. */
  #isAtEnd(byte: number | undefined): boolean {
    if (byte === undefined) return true
    const rest = this.#bytes.length - this.#at
    return (byte === LF && rest === 1) || (byte === CR && rest === 2 && this.#bytes[this.#at + 1] === LF)
  }

  #item(first: number, depth: number): Argument | undefined {
    if (first === OPEN) {
      if (depth === depthMax) return undefined
      this.#at++
      const items = this.list(depth + 1)
      return items && { kind: 'list', items }
    }
    if (first === QUOTE) return this.#quoted()
    if (first === OPEN_BRACE || (first === TILDE && this.#bytes[this.#at + 1] === OPEN_BRACE))
      return this.#literal()
    return this.#atom()
  }

  #quoted(): Argument | undefined {
    const text: number[] = []
    for (let at = this.#at + 1; at < this.#bytes.length; at++) {
      const byte = this.#bytes[at]!
      if (byte === QUOTE) {
        this.#at = at + 1
        return { kind: 'string', bytes: Buffer.from(text) }
      }
      if (byte === CR || byte === LF || byte === 0) return undefined
      if (byte !== BACKSLASH) text.push(byte)
      else {
        const escaped = this.#bytes[++at]
        if (escaped !== QUOTE && escaped !== BACKSLASH) return undefined
        text.push(escaped)
      }
    }
    return undefined
  }

  #literal(): Argument | undefined {
    const close = this.#bytes.indexOf(CLOSE_BRACE, this.#at)
    if (close < 0) return undefined
    const digitsEnd = this.#bytes[close - 1] === PLUS ? close - 1 : close
    const open = this.#bytes[this.#at] === TILDE ? this.#at + 1 : this.#at
    const digits = this.#bytes.toString('latin1', open + 1, digitsEnd)
    if (!/^\d{1,15}$/.test(digits)) return undefined
    const size = Number(digits)
    const start = close + (this.#bytes[close + 1] === CR ? 3 : 2)
    if (this.#bytes[start - 1] !== LF || start + size > this.#bytes.length) return undefined
    this.#at = start + size
    return { kind: 'string', bytes: this.#bytes.subarray(start, start + size) }
  }

  #atom(): Argument | undefined {
    const start = this.#at
    for (; this.#at < this.#bytes.length; this.#at++) {
      const byte = this.#bytes[this.#at]!
      if (byte === SP || byte === CR || byte === LF || byte === CLOSE) break
      if (byte < 33 || byte === QUOTE || byte === OPEN || byte === OPEN_BRACE || byte === 127)
        return undefined
    }
    return this.#at > start ? { kind: 'atom', bytes: this.#bytes.subarray(start, this.#at) } : undefined
  }
}
