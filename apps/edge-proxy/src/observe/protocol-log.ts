/** The protocol log (protocol_log_filename): traces as lines of text in a file on this host. */
import { oneLine } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'
import { LogFile } from './log-file.ts'
import type { TracedLine, TraceEnd, TraceOrder, TraceSink } from './trace.ts'

export class ProtocolLog implements TraceSink {
  readonly #file: LogFile

  constructor(path: string) {
    try {
      this.#file = new LogFile(path, 0o600)
    } catch (error) {
      throw new EdgeError('trace_unwritable', `trace.file: ${(error as Error).message}`, ['trace.file'])
    }
  }

  /** If the disk is full, the line is lost, and the session continues. */
  line(order: TraceOrder, line: TracedLine): void {
    const from = { C: 'CLIENT', S: 'SERVER', '*': 'EDGE' }[line.from]
    const text = oneLine(line.text, 8192)
    this.#file.write(
      `${new Date(line.at).toISOString()} ${line.session} ${oneLine(order.user)} ${from}: ${text}\n`,
    )
  }

  ended(order: TraceOrder, why: TraceEnd): void {
    this.#file.write(`${new Date().toISOString()} - ${oneLine(order.user)} EDGE: trace ended: ${why}\n`)
  }

  /** Empties the file. Returns the reason if that fails. */
  clear(): string | undefined {
    return this.#file.clear()
  }

  /** See LogFile. */
  reopen(): string | undefined {
    return this.#file.reopen()
  }

  close(): void {
    this.#file.close()
  }
}
