/**
 * Options that several commands share, and their parsers: times, sizes, pages, targets, rollouts. Invalid text is a usage
 * error.
 */
import type { FleetTarget, RolloutRequest } from '@imapfleet/api'
import { InvalidArgumentError, Option, type Command } from 'commander'
import { usage } from './failure.ts'
import { isMoment, parseDuration } from './print/time.ts'

/** An option whose value is milliseconds. The help shows its default as a duration, such as `30s`. */
export function durationOption(flags: string, description: string, byDefault?: string): Option {
  const option = new Option(flags, description).argParser(durationArgument)
  return byDefault === undefined ? option : option.default(durationArgument(byDefault), byDefault)
}

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

/** The same moment as an instant, for parts of the API that take no other. */
export function resolvedMoment(moment: string, now: number): string {
  if (moment === 'now') return new Date(now).toISOString()
  const before = moment.startsWith('-') ? parseDuration(moment.slice(1)) : undefined
  return new Date(before === undefined ? moment : now - before).toISOString()
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

/** The page of a list: its other options have meanings of their own. */
export const pageQuery = <Page extends PageOptions | IdPageOptions>({ limit, before }: Page) => ({
  limit,
  before: before as Page['before'],
})

export interface TargetOptions {
  all?: true
  region?: string
  edge?: string
}

export const targetOptions = (command: Command) =>
  command
    .option('--all', 'every edge (the default)')
    .option('--region <region>', 'the edges of this region')
    .option('--edge <id>', 'this edge')

/** Undefined: no target was named. Only some commands treat this as `--all`. */
export function namedTarget({ all, region, edge }: TargetOptions): FleetTarget | undefined {
  if ([all, region, edge].filter((given) => given !== undefined).length > 1)
    throw usage('give only one of --all, --region and --edge')
  if (edge !== undefined) return { kind: 'edge', name: edge }
  if (region !== undefined) return { kind: 'region', name: region }
  return all === undefined ? undefined : { kind: 'all' }
}

export const targetOf = (options: TargetOptions): FleetTarget => namedTarget(options) ?? { kind: 'all' }

export interface RolloutOptions {
  rollout?: true
  canary?: string[]
  canaryPercent?: number
  regions?: string[]
  soak?: number
  silence?: number
  errorPercent?: number
}

export const rolloutOptions = (command: Command) =>
  command
    .option('--rollout', 'in waves: some edges first, then region by region; rolled back if it fails')
    .option('--canary <ids>', 'with --rollout: these edges first, such as eu-1,us-1', listArgument)
    .option('--canary-percent <n>', 'with --rollout: this percentage of the edges first', percentArgument)
    .option('--regions <names>', 'with --rollout: order of the regions', listArgument)
    .addOption(durationOption('--soak <duration>', 'with --rollout: how long each wave is watched'))
    .addOption(
      durationOption('--silence <duration>', 'with --rollout: how long an edge may take to apply it'),
    )
    .option('--error-percent <n>', 'with --rollout: how much the failure rate may grow', percentArgument)

/** Undefined: all edges get it immediately. */
export function rolloutOf(options: RolloutOptions): RolloutRequest | undefined {
  const { rollout, canary, canaryPercent, regions, soak, silence, errorPercent } = options
  const details: RolloutRequest = {
    ...(canary && { canaryEdges: canary }),
    ...(canaryPercent !== undefined && { canaryPercent }),
    ...(regions && { regions }),
    ...(soak !== undefined && { soakSeconds: Math.ceil(soak / 1000) }),
    ...(silence !== undefined && { silenceSeconds: Math.ceil(silence / 1000) }),
    ...(errorPercent !== undefined && { errorShareMax: errorPercent / 100 }),
  }
  if (rollout) return details
  // Without this check, `--canary` without `--rollout` would change the whole fleet.
  if (Object.keys(details).length > 0)
    throw usage(
      '--canary, --canary-percent, --regions, --soak, --silence and --error-percent require --rollout',
    )
  return undefined
}

export function listArgument(text: string): string[] {
  const names = text.split(',').map((name) => name.trim())
  if (names.includes('')) throw new InvalidArgumentError('Use names separated by commas.')
  return names
}

function percentArgument(text: string): number {
  const value = Number(text)
  if (!/^\d{1,3}(\.\d{1,6})?$/.test(text) || value > 100)
    throw new InvalidArgumentError('Use a number from 0 to 100.')
  return value
}
