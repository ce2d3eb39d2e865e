/**
 * The log: one line per event, as text or JSON. Fields never contain credentials or mail. Values may come from outside: their
 * length is limited, and they cannot break the line or look like another field.
 */
import { oneLine } from './one-line.ts'

/** From the most to the least severe. A level includes those before it. */
const levels = ['error', 'warn', 'info', 'debug'] as const
export type LogLevel = (typeof levels)[number]
/** A field that is undefined is left out. */
export type LogFields = Record<string, string | number | boolean | undefined>
/** Gets complete lines with their line ends. `mayWait`: the line may be written later, together with others. */
export type LogWriter = (line: string, mayWait: boolean) => void

const valueCharactersMax = 500
/** Values that need no quotes. Nearly all values match, so usually this is the only check. */
const plainValue = /^[!#-<>-~]{1,500}$/

export class Log {
  /** May change at any time, for example by a reload. */
  level: LogLevel
  readonly #format: 'text' | 'json'
  readonly #write: LogWriter
  /** Undefined: the log is not written to a file. */
  readonly file: { reopen(): string | undefined } | undefined

  constructor(
    options: { level: LogLevel; format: 'text' | 'json' },
    write: LogWriter,
    file?: { reopen(): string | undefined },
  ) {
    this.level = options.level
    this.#format = options.format
    this.#write = write
    this.file = file
  }

  error(event: string, fields?: LogFields): void {
    this.#line('error', event, fields, false)
  }
  warn(event: string, fields?: LogFields): void {
    this.#line('warn', event, fields, false)
  }
  info(event: string, fields?: LogFields): void {
    this.#line('info', event, fields, false)
  }
  /** Writes at level info, for events that occur thousands of times a second. */
  frequentInfo(event: string, fields?: LogFields): void {
    this.#line('info', event, fields, true)
  }
  debug(event: string, fields?: LogFields): void {
    this.#line('debug', event, fields, false)
  }

  isOn(level: LogLevel): boolean {
    return levels.indexOf(level) <= levels.indexOf(this.level)
  }

  #line(level: LogLevel, event: string, fields: LogFields | undefined, mayWait: boolean): void {
    if (!this.isOn(level)) return
    const at = new Date().toISOString()
    const line =
      this.#format === 'json'
        ? jsonLine({ at, level, event }, fields ?? {})
        : textLine(at, level, event, fields ?? {})
    this.#write(line, mayWait)
  }
}

function jsonLine(head: LogFields, fields: LogFields): string {
  for (const [key, value] of Object.entries(fields))
    head[key] = typeof value === 'string' ? value.slice(0, valueCharactersMax) : value
  return `${JSON.stringify(head)}\n`
}

function textLine(at: string, level: LogLevel, event: string, fields: LogFields): string {
  let line = `${at} ${level} ${event}`
  for (const [key, value] of Object.entries(fields))
    if (value !== undefined) line += ` ${key}=${typeof value === 'string' ? printText(value) : value}`
  return `${line}\n`
}

function printText(value: string): string {
  if (plainValue.test(value)) return value
  const safe = oneLine(value, valueCharactersMax)
  return plainValue.test(safe) ? safe : JSON.stringify(safe)
}
