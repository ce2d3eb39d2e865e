/** A file to which lines are appended, while log rotation may rename or truncate it. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'

export class LogFile {
  readonly #path: string
  readonly #mode: number
  #file: number
  /** The last line was written incompletely. */
  #isWithinLine = false

  /** Throws an error whose message has the reason why the file cannot be opened. */
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
   * Appends complete lines. Synchronous, so that no earlier line is lost in a crash.
   * @returns whether the lines were written. If the disk is full, they are lost
   */
  write(lines: string): boolean {
    const bytes = Buffer.from(this.#isWithinLine ? `\n${lines}` : lines)
    let written = 0
    try {
      // On a nearly full disk, only the first part may be written. The next attempt then throws the error.
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
   * Opens the file by its name again, and creates it if it was renamed. Returns the reason if that fails, for example
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
