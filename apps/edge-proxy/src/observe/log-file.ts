/** A file that lines are appended to, while log rotation moves it away or empties it. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

export class LogFile {
  readonly #path: string
  readonly #mode: number
  #file: number
  /** The last line was not written to its end. */
  #isWithinLine = false

  /** Throws an error whose message says why it cannot be opened. */
  constructor(path: string, mode: number) {
    this.#path = path
    this.#mode = mode
    try {
      this.#file = openSync(path, 'a', mode)
    } catch (error) {
      throw new Error(`cannot write ${path}: ${codeOf(error)}`, { cause: error })
    }
  }

  /**
   * Appends whole lines. Synchronous, so that a crash loses no line before it.
   * @returns whether they were written; if the disk is full, they are lost
   */
  write(lines: string): boolean {
    const bytes = Buffer.from(this.#isWithinLine ? `\n${lines}` : lines)
    let written = 0
    try {
      // The first part may be written where the rest has no space. The next attempt says why.
      while (written < bytes.length) written += writeSync(this.#file, bytes, written)
      this.#isWithinLine = false
      return true
    } catch {
      if (written > 0) this.#isWithinLine = bytes[written - 1] !== 10
      return false
    }
  }

  /** Empties the file. Returns the reason if that fails. */
  clear(): string | undefined {
    try {
      ftruncateSync(this.#file, 0)
      this.#isWithinLine = false
      return undefined
    } catch (error) {
      return `cannot empty ${this.#path}: ${codeOf(error)}`
    }
  }

  /**
   * Opens the file by its name again, and creates it if it was moved away. Returns the reason if that fails, for example
   * because the edge may not write to the directory. Lines then still go to the old file.
   */
  reopen(): string | undefined {
    try {
      const file = openSync(this.#path, 'a', this.#mode)
      closeSync(this.#file)
      this.#file = file
      this.#isWithinLine = false
      return undefined
    } catch (error) {
      return `cannot open ${this.#path}: ${codeOf(error)}; lines still go to the old file`
    }
  }

  close(): void {
    closeSync(this.#file)
  }
}

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
