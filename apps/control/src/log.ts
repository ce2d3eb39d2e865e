/** One line an event on stderr. Values are quoted when they need it, so that nothing received can forge a line. */
import { tlsTrouble } from '@imapfleet/config/tls'

type Level = 'error' | 'warn' | 'info'
export type Log = (level: Level, event: string, facts?: Record<string, unknown>) => void

export function createLog(write: (line: string) => void, now: () => number = Date.now): Log {
  return (level, event, facts = {}) => {
    const pairs = Object.entries(facts)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => ` ${key}=${print(value)}`)
    write(`${new Date(now()).toISOString()} ${level} ${event}${pairs.join('')}\n`)
  }
}

function print(value: unknown): string {
  const text =
    value instanceof Error ? reasonOf(value) : typeof value === 'string' ? value : JSON.stringify(value)
  return /^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text.slice(0, 1000))
}

/** The sentence of an error, also where the message itself is empty. */
export function reasonOf(error: unknown): string {
  const origin = originOf(error)
  if (!(origin instanceof Error)) return String(origin)
  return tlsTrouble(origin) ?? (origin.message || (origin as NodeJS.ErrnoException).code || origin.name)
}

/** Errors of ours, whose own message says more than what caused them. */
const speaking = new Set(['ServiceError', 'SettingsError'])

/**
 * The error beneath its wrappers: Node joins the attempts to connect in an AggregateError, and drizzle's own error
 * repeats all parameters of a query, which nobody may see.
 */
export function originOf(error: unknown): unknown {
  if (error instanceof AggregateError && error.errors.length > 0) return originOf(error.errors[0])
  if (error instanceof Error && !speaking.has(error.name) && error.cause instanceof Error)
    return originOf(error.cause)
  return error
}

/** Says that a service went away once, and that it is back once, however often it is tried in between. */
export class Outage {
  readonly #log: Log
  readonly #begin: string
  readonly #end: string
  #reason: string | undefined

  /** What is logged when it begins and when it is over: `NATS is away`, `NATS is back`. */
  constructor(log: Log, begin: string, end: string) {
    this.#log = log
    this.#begin = begin
    this.#end = end
  }

  began(error: unknown): void {
    const reason = reasonOf(error)
    if (this.#reason === undefined) this.#log('warn', this.#begin, { reason })
    this.#reason = reason
  }

  over(): void {
    if (this.#reason !== undefined) this.#log('info', this.#end)
    this.#reason = undefined
  }

  /** Why it is away, or undefined while all is well. */
  get reason(): string | undefined {
    return this.#reason
  }
}
