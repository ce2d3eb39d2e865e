/** Options of a rollout on the command line → the request of the API, which has its own defaults. */
import type { RolloutRequest } from '@imapfleet/api'
import { InvalidArgumentError, type Command } from 'commander'
import { usage } from './failure.ts'
import { durationArgument } from './options.ts'

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
    .option('--soak <duration>', 'with --rollout: how long each wave is watched', durationArgument)
    .option('--silence <duration>', 'with --rollout: how long an edge may take to apply it', durationArgument)
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

function listArgument(text: string): string[] {
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
