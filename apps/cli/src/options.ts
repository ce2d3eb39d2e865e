/** Options that several commands share, and their parsers. Invalid text is a usage error. */
import { InvalidArgumentError, type Command } from 'commander'
import { isMoment, parseDuration } from './print/time.ts'

/** Returns milliseconds. */
export function durationArgument(text: string): number {
  const ms = parseDuration(text)
  if (ms === undefined) throw new InvalidArgumentError('Use a duration such as 90s, 10m, 1h30m or 2d.')
  return ms
}

/** A moment in the form of the API: `-1h30m` → `-5400s`. The server resolves relative moments by its own clock. */
export function momentArgument(text: string): string {
  if (!isMoment(text))
    throw new InvalidArgumentError('Use now, a time ago such as -24h, or 2026-03-01T10:00:00Z.')
  return text.startsWith('-') ? `-${Math.ceil((parseDuration(text.slice(1)) ?? 0) / 1000)}s` : text
}

/** A whole number, at least `min`. */
export const wholeArgument =
  (min: number) =>
  (text: string): number => {
    const value = Number(text)
    if (!/^\d{1,15}$/.test(text) || value < min)
      throw new InvalidArgumentError(`Use a whole number, at least ${min}.`)
    return value
  }

/** `64k`, `16M`, `1G` → bytes. */
export function sizeArgument(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,9})([kKmMgG]?)$/.exec(text) ?? []
  if (amount === undefined) throw new InvalidArgumentError('Use a size such as 65536, 64k, 16M or 1G.')
  return Number(amount) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase())
}

/** For lists with the newest first. `before` is the `next` of the previous page. */
interface Page {
  limit: string
  before?: string | undefined
}

export interface PageOptions {
  limit: number
  before?: number
}

/** Options of lists with the newest first, page by page. */
export const pageOptions = (command: Command) =>
  command
    .option('--limit <n>', 'number of rows (at most 500)', wholeArgument(1), 20)
    .option('--before <number>', 'continue where the last page ended', wholeArgument(0))

/** The same, if the cursor is the id of the last row. */
export interface IdPageOptions {
  limit: number
  before?: string
}

export const pageByIdOptions = (command: Command) =>
  command
    .option('--limit <n>', 'number of rows (at most 500)', wholeArgument(1), 20)
    .option('--before <id>', 'continue after the row with this id')

export const pageQuery = ({ limit, before }: PageOptions): Page => ({
  limit: String(limit),
  ...(before === undefined ? {} : { before: String(before) }),
})
