/**
 * The output of the log: stderr, or the file of `log.file`. Each write is a system call, and a busy edge ends thousands of sessions
 * a second. Lines that may wait are therefore collected for up to a tenth of a second, and written together. Other lines
 * are written immediately, after the collected ones.
 */
import type { LogWriter } from '@imapfleet/observe'
import { EdgeError } from '../errors.ts'
import { runtime, type Timer } from '../runtime.ts'
import { LogFile } from './log-file.ts'

const waitMs = 100
const batchCharacters = 32_768
/** More characters wait only if the reader of stderr does not read. Further lines are lost, because mail must not wait. */
const waitingCharactersMax = 1_048_576

export interface LogTarget {
  /** Calls back when more can be written, with whether these lines were written. */
  write(lines: string, done: (isWritten: boolean) => void): void
  reopen?: () => string | undefined
}

export class LogOutput {
  readonly #target: LogTarget
  #waiting = ''
  #lost = 0
  #isWriting = false
  #timer: Timer | undefined
  /** Called with the number of lost lines when lines are written again. */
  onLost: ((lines: number) => void) | undefined

  constructor(target: LogTarget) {
    this.#target = target
  }

  /** Opens the file, if there is one. Throws `log_unwritable`. */
  static of({ file }: { file?: string | undefined }): LogOutput {
    return new LogOutput(file === undefined ? stderr() : appendTo(file))
  }

  /** Undefined: the log goes to stderr. */
  get file(): { reopen(): string | undefined } | undefined {
    const { reopen } = this.#target
    if (!reopen) return undefined
    return {
      reopen: () => {
        this.flush()
        return reopen()
      },
    }
  }

  readonly write: LogWriter = (line: string, mayWait: boolean): void => {
    if (this.#waiting.length + line.length > waitingCharactersMax) {
      this.#lost++
      return
    }
    this.#waiting += line
    if (!mayWait || this.#waiting.length >= batchCharacters) this.flush()
    else this.#timer ??= runtime.after(waitMs, () => this.flush()).unref()
  }

  /** The process exits: writes the waiting lines, even if the target has not confirmed earlier ones. */
  end(): void {
    this.#isWriting = false
    this.flush()
  }

  /** Writes the waiting lines. If earlier lines are being written, the waiting lines follow them later. */
  flush(): void {
    runtime.cancel(this.#timer)
    this.#timer = undefined
    if (this.#isWriting || this.#waiting === '') return
    const lines = this.#waiting
    this.#waiting = ''
    this.#isWriting = true
    this.#target.write(lines, (isWritten) => {
      this.#isWriting = false
      if (!isWritten) this.#lost += lines.split('\n').length - 1
      else if (this.#lost > 0) this.#tellLost()
      if (this.#waiting !== '') this.flush()
    })
  }

  #tellLost(): void {
    const lines = this.#lost
    this.#lost = 0
    this.onLost?.(lines)
  }
}

/** If the reader of stderr has closed it, lines are lost, and the edge continues to serve mail. */
function stderr(): LogTarget {
  process.stderr.on('error', () => {})
  return { write: (lines, done) => process.stderr.write(lines, (error) => done(!error)) }
}

function appendTo(path: string): LogTarget {
  try {
    const file = new LogFile(path, 0o640)
    return { write: (lines, done) => done(file.write(lines)), reopen: () => file.reopen() }
  } catch (error) {
    throw new EdgeError('log_unwritable', `log.file: ${(error as Error).message}`)
  }
}
