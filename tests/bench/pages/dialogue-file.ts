/**
 * Writes the IMAP dialogue of a browsing session to a file of JSON lines, with the boundaries of its pages. A long literal
 * is written as its length.
 */
import { createWriteStream, type WriteStream } from 'node:fs'
import type { Passed } from './tap.ts'

export class DialogueFile {
  readonly #file: WriteStream
  #pending: Passed | undefined

  constructor(path: string) {
    this.#file = createWriteStream(path)
  }

  page(kind: string, what: string): void {
    this.#flush()
    this.#line({ page: kind, what })
  }

  /** Consecutive bytes of one side of a connection become one line. */
  passed(passed: Passed): void {
    const before = this.#pending
    if (before && before.connection === passed.connection && before.from === passed.from)
      return void (this.#pending = { ...passed, bytes: Buffer.concat([before.bytes, passed.bytes]) })
    this.#flush()
    this.#pending = passed
  }

  async end(): Promise<void> {
    this.#flush()
    await new Promise<void>((resolve) => this.#file.end(resolve))
  }

  #flush(): void {
    const passed = this.#pending
    if (passed)
      this.#line({
        connection: passed.connection,
        from: passed.from,
        bytes: withoutLongLiterals(passed.bytes.toString('latin1')),
      })
    this.#pending = undefined
  }

  #line(value: object): void {
    this.#file.write(`${JSON.stringify(value)}\n`)
  }
}

const longBytes = 4_000
const literalStart = /\{(\d{4,10})\}\r\n/g

/** Text, and between the texts the lengths of literals that are left out. */
function withoutLongLiterals(text: string): string | (string | number)[] {
  const parts: (string | number)[] = []
  let from = 0
  literalStart.lastIndex = 0
  for (let found = literalStart.exec(text); found; found = literalStart.exec(text)) {
    const length = Number(found[1])
    const at = literalStart.lastIndex
    if (length < longBytes || at + length > text.length) continue
    parts.push(text.slice(from, at), length)
    from = at + length
    literalStart.lastIndex = from
  }
  return parts.length === 0 ? text : [...parts, text.slice(from)]
}
