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

export class Log {
  /** May change at any time, for example by a reload. */
  level: LogLevel
  readonly #format: 'text' | 'json'
  readonly #write: (line: string) => void

  constructor(options: { level: LogLevel; format: 'text' | 'json' }, write: (line: string) => void) {
    this.level = options.level
    this.#format = options.format
    this.#write = write
  }

  error(event: string, fields?: LogFields): void {
    this.#line('error', event, fields)
  }
  warn(event: string, fields?: LogFields): void {
    this.#line('warn', event, fields)
  }
  info(event: string, fields?: LogFields): void {
    this.#line('info', event, fields)
  }
  debug(event: string, fields?: LogFields): void {
    this.#line('debug', event, fields)
  }

  isOn(level: LogLevel): boolean {
    return levels.indexOf(level) <= levels.indexOf(this.level)
  }

  #line(level: LogLevel, event: string, fields: LogFields = {}): void {
    if (!this.isOn(level)) return
    const at = new Date().toISOString()
    const present = Object.entries(fields).filter(([, value]) => value !== undefined)
    if (this.#format === 'json')
      return this.#write(`${JSON.stringify({ at, level, event, ...Object.fromEntries(present) })}\n`)
    const pairs = present.map(([key, value]) => ` ${key}=${printValue(value!)}`).join('')
    this.#write(`${at} ${level} ${event}${pairs}\n`)
  }
}

function printValue(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  const safe = oneLine(value, 500)
  return /^[!-~]+$/.test(safe) && !/["=]/.test(safe) ? safe : JSON.stringify(safe)
}
