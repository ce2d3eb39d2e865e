/** Counts the commands in what an IMAP client sends: lines with a tag and a word, without the contents of literals. */

const literalAtEnd = /\{(\d{1,10})\+?\}$/

export class CommandCounter {
  #line = ''
  #literalLeft = 0
  #continues = false

  /** The number of commands whose first line ended in these bytes. */
  push(bytes: Buffer): number {
    let commands = 0
    for (let at = 0; at < bytes.length;) {
      if (this.#literalLeft > 0) {
        const taken = Math.min(this.#literalLeft, bytes.length - at)
        this.#literalLeft -= taken
        at += taken
        continue
      }
      const end = bytes.indexOf(10, at)
      this.#line += bytes.toString('latin1', at, end < 0 ? bytes.length : end + 1)
      if (end < 0) break
      at = end + 1
      commands += this.#endLine(this.#line.trimEnd())
      this.#line = ''
    }
    return commands
  }

  /** Lines without a space are DONE, or answers to a SASL challenge. */
  #endLine(line: string): number {
    const isCommand = !this.#continues && line.includes(' ')
    const literal = literalAtEnd.exec(line)?.[1]
    this.#literalLeft = Number(literal ?? 0)
    this.#continues = literal !== undefined
    return isCommand ? 1 : 0
  }
}
