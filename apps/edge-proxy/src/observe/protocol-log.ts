/** The protocol log (protocol_log_filename): traces as lines of text in a file of this host. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { oneLine } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'
import type { TracedLine, TraceEnd, TraceOrder, TraceSink } from './trace.ts'

export class ProtocolLog implements TraceSink {
  readonly #path: string
  #file: number

  constructor(path: string) {
    this.#path = path
    try {
      this.#file = openLog(path)
    } catch (error) {
      throw new EdgeError('trace_unwritable', `trace.file: cannot write ${path}: ${codeOf(error)}`)
    }
  }

  line(order: TraceOrder, line: TracedLine): void {
    const from = { C: 'CLIENT', S: 'SERVER', '*': 'EDGE' }[line.from]
    const text = oneLine(line.text, 8192)
    this.#write(
      `${new Date(line.at).toISOString()} ${line.session} ${oneLine(order.user)} ${from}: ${text}\n`,
    )
  }

  ended(order: TraceOrder, why: TraceEnd): void {
    this.#write(`${new Date().toISOString()} - ${oneLine(order.user)} EDGE: trace ended: ${why}\n`)
  }

  /** Empties the file. Returns the reason if that fails. */
  clear(): string | undefined {
    try {
      ftruncateSync(this.#file, 0)
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
      const file = openLog(this.#path)
      closeSync(this.#file)
      this.#file = file
      return undefined
    } catch (error) {
      return `cannot open ${this.#path}: ${codeOf(error)}; lines still go to the old file`
    }
  }

  close(): void {
    closeSync(this.#file)
  }

  /** Synchronous, so that a crash loses no line before it. If the disk is full, the line is lost. */
  #write(line: string): void {
    try {
      writeSync(this.#file, line)
    } catch {
      // The session continues; only this line of its trace is lost.
    }
  }
}

const openLog = (path: string): number => openSync(path, 'a', 0o600)

const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? String(error)
