/** Parses commands for the simulated server into lines and literals, without the edge's parser. */

export interface Command {
  readonly tag: string
  readonly verb: string
  /** The text after the verb, literals included, without the last line end. */
  readonly rest: string
  /** The complete command, with every line end. */
  readonly text: string
}

export type Read =
  { kind: 'command'; command: Command } | { kind: 'line'; line: string } | { kind: 'literal' }

export class CommandReader {
  #buffer = ''
  /** The part of the current command that has arrived. */
  #begun = ''
  #literal = 0

  feed(bytes: Buffer): void {
    this.#buffer += bytes.toString('latin1')
  }

  /** Whether a command is incomplete. */
  get isWithin(): boolean {
    return this.#begun !== '' || this.#buffer !== ''
  }

  /** The part of the incomplete command that has arrived. */
  get begun(): string {
    return this.#begun + this.#buffer
  }

  /**
   * The next command. `literal`: the client waits for a continuation request.
   * @param asLine read a line that is not a command, such as the answer in a SASL exchange
   */
  next(asLine: boolean): Read | undefined {
    for (;;) {
      if (this.#literal > 0) {
        if (this.#buffer.length < this.#literal) return undefined
        this.#begun += this.#take(this.#literal)
        this.#literal = 0
      }
      const end = this.#buffer.indexOf('\n')
      if (end < 0) return undefined
      const line = this.#take(end + 1)
      if (asLine) return { kind: 'line', line: line.replace(/\r?\n$/, '') }
      this.#begun += line
      const literal = /\{(\d+)(\+?)\}\r?\n$/.exec(line)
      if (!literal) break
      this.#literal = Number(literal[1])
      if (literal[2] === '') return { kind: 'literal' }
    }
    const text = this.#begun
    this.#begun = ''
    return { kind: 'command', command: commandIn(text) }
  }

  /** Drops the current command, which was refused before its literal. */
  abandon(): void {
    this.#begun = ''
    this.#literal = 0
  }

  #take(count: number): string {
    const taken = this.#buffer.slice(0, count)
    this.#buffer = this.#buffer.slice(count)
    return taken
  }
}

function commandIn(text: string): Command {
  const [, tag = '', verb = '', rest = ''] = /^(\S*) ?(\S*) ?([^]*?)\r?\n$/.exec(text) ?? []
  return { tag, verb: verb.toUpperCase(), rest, text }
}

/** The decoded arguments: words, quoted strings and literals. Lists are returned as one text with their parentheses. */
export function argumentsIn(rest: string): string[] {
  const found: string[] = []
  let at = 0
  while (at < rest.length) {
    const left = rest.slice(at)
    const literal = /^\{(\d+)\+?\}\r?\n/.exec(left)
    const quoted = /^"((?:[^"\\]|\\.)*)"/.exec(left)
    if (literal) {
      at += literal[0].length
      found.push(rest.slice(at, at + Number(literal[1])))
      at += Number(literal[1])
    } else if (quoted) {
      at += quoted[0].length
      found.push(quoted[1]!.replaceAll(/\\(.)/g, '$1'))
    } else {
      const word = /^(?:\([^)]*\)|[^\s([]*(?:\[[^\]]*\][^\s]*)?|\S)/.exec(left)?.[0] || left[0]!
      at += word.length
      found.push(word)
    }
    while (rest[at] === ' ') at++
  }
  return found
}
