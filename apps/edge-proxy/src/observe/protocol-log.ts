/** The protocol log (protocol_log_filename): traces as lines of text in a file of this host. */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { oneLine } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'
import type { TracedLine, TraceEnd, TraceOrder, TraceSink } from './tracer.ts'

export class ProtocolLog implements TraceSink {
  readonly #file: number

  constructor(path: string) {
    try {
      this.#file = openSync(path, 'a', 0o600)
    } catch (error) {
      throw new EdgeError(
        'trace_unwritable',
        `trace.file: cannot write ${path}: ${(error as NodeJS.ErrnoException).code}`,
      )
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

  /** Empties the file. */
  clear(): void {
    ftruncateSync(this.#file, 0)
  }

  close(): void {
    closeSync(this.#file)
  }

  /** Synchronous: a trace that is read after a crash must hold what came before it. A full disk costs the line. */
  #write(line: string): void {
    try {
      writeSync(this.#file, line)
    } catch {
      // Nobody can be told but by the log that failed; the session goes on.
    }
  }
}
