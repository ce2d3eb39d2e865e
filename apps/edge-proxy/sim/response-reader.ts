/** Parses responses for a simulated client, strictly and without the edge's parser. Any deviation is a finding. */

export interface ReadResponse {
  /** The complete response without the last line end, literals unchanged. */
  readonly text: string
  readonly literals: readonly string[]
}

const status = /^\* (?:OK|NO|BAD|BYE|PREAUTH)\b/

export class ResponseReader {
  #buffer = ''
  #begun = ''
  #literals: string[] = []
  #literal = 0

  feed(bytes: Buffer): void {
    this.#buffer += bytes.toString('latin1')
  }

  /** The received part of an incomplete response. */
  get begun(): string {
    return this.#begun + this.#buffer
  }

  /** The received part of an incomplete literal. */
  get literalBegun(): string | undefined {
    return this.#literal > 0 ? this.#buffer : undefined
  }

  /** The next complete response. A string describes an error in the bytes. */
  next(): ReadResponse | string | undefined {
    for (;;) {
      if (this.#literal > 0) {
        if (this.#buffer.length < this.#literal) return undefined
        const content = this.#take(this.#literal)
        this.#literal = 0
        this.#literals.push(content)
        this.#begun += content
      }
      const end = this.#buffer.indexOf('\n')
      if (end < 0) return undefined
      const line = this.#take(end + 1)
      if (!line.endsWith('\r\n')) return `a line without CR: ${JSON.stringify(line.slice(-80))}`
      this.#begun += line
      const size = /\{(\d+)\}\r\n$/.exec(line)?.[1]
      if (size === undefined || status.test(this.#begun) || !this.#begun.startsWith('* ')) break
      this.#literal = Number(size)
      if (this.#literal === 0) this.#literals.push('')
    }
    const response = { text: this.#begun.slice(0, -2), literals: this.#literals }
    this.#begun = ''
    this.#literals = []
    return response
  }

  #take(count: number): string {
    const taken = this.#buffer.slice(0, count)
    this.#buffer = this.#buffer.slice(count)
    return taken
  }
}
