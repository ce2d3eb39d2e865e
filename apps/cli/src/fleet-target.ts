/** The target of a command, for orders and drains: `--all` (the default), `--region` or `--edge`. */
import type { FleetTarget } from '@imapfleet/api'
import type { Command } from 'commander'
import { usage } from './failure.ts'

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
