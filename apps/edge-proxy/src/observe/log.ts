/** One line an event on stderr. Fields are facts, never credentials or mail; text from outside is made one line. */
import { oneLine } from '../imap/encode.ts'

export const levels = ['error', 'warn', 'info', 'debug'] as const
export type Level = (typeof levels)[number]
export type Fields = Record<string, string | number | boolean | undefined>

export class Log {
  level: Level
  readonly #format: 'text' | 'json'
  readonly #write: (line: string) => void

  constructor(options: { level: Level; format: 'text' | 'json' }, write: (line: string) => void) {
    this.level = options.level
    this.#format = options.format
    this.#write = write
  }

  error(event: string, fields?: Fields): void {
    this.#line('error', event, fields)
  }
  warn(event: string, fields?: Fields): void {
    this.#line('warn', event, fields)
  }
  info(event: string, fields?: Fields): void {
    this.#line('info', event, fields)
  }
  debug(event: string, fields?: Fields): void {
    this.#line('debug', event, fields)
  }

  isOn(level: Level): boolean {
    return levels.indexOf(level) <= levels.indexOf(this.level)
  }

  #line(level: Level, event: string, fields: Fields = {}): void {
    if (!this.isOn(level)) return
    const at = new Date().toISOString()
    const known = Object.entries(fields).filter(([, value]) => value !== undefined)
    if (this.#format === 'json')
      return this.#write(`${JSON.stringify({ at, level, event, ...Object.fromEntries(known) })}\n`)
    const pairs = known.map(([key, value]) => ` ${key}=${printValue(value!)}`).join('')
    this.#write(`${at} ${level} ${event}${pairs}\n`)
  }
}

function printValue(value: string | number | boolean): string {
  if (typeof value !== 'string') return String(value)
  const safe = oneLine(value, 500)
  return /^[!-~]+$/.test(safe) && !/["=]/.test(safe) ? safe : JSON.stringify(safe)
}
