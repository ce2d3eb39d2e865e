/**
 * Stores the last desired state that this edge applied. The edge starts with its configuration, so that keys that need a
 * restart take effect, and the fleet's configuration applies even if the fleet is unreachable.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  checkLayer,
  mergeLayers,
  resolveConfig,
  withoutHostKeys,
  type EdgeConfig,
  type Layer,
} from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { decode, desiredSchema, encode, type Desired } from '@imapfleet/protocol'
import type { FleetConfig } from '../edge/start.ts'
import type { StateDirectory } from './state-directory.ts'

const fileName = 'desired.json'

/** Undefined: there is no stored state, or it cannot be read. */
export function readLastGood(stateDir: string, log: Log): Desired | undefined {
  const file = join(stateDir, fileName)
  let bytes: Buffer
  try {
    bytes = readFileSync(file)
  } catch {
    return undefined
  }
  const decoded = decode(desiredSchema, bytes)
  if (decoded.ok) return decoded.value
  log.warn('last_good_unreadable', { file, reason: decoded.reason })
  return undefined
}

/** If it cannot be written now, the state directory writes it later. */
export function writeLastGood(directory: StateDirectory, desired: Desired): void {
  directory.save(fileName, encode(desired))
}

/** The stored configuration, merged over the edge's own file. Undefined: there is none, or it has mistakes. */
export function lastGoodConfig(file: EdgeConfig, document: Layer, log: Log): FleetConfig | undefined {
  if (file.fleet.servers.length === 0) return undefined
  const last = readLastGood(file.fleet.stateDir, log)
  if (!last) return undefined
  const resolved = resolveOver(document, last.config.layer)
  const { revision, versions } = last.config
  return resolved.ok ? { revision, versions, config: resolved.config } : undefined
}

/**
 * Merges the fleet's layer over the edge's own file. Keys that only the file can set are ignored: for example, the host decides
 * which files the edge writes.
 */
export function resolveOver(
  document: Layer,
  fleetLayer: Desired['config']['layer'],
): ReturnType<typeof resolveConfig> {
  const checked = checkLayer(withoutHostKeys(fleetLayer as Layer).layer)
  return checked.ok ? resolveConfig(mergeLayers(document, checked.layer)) : checked
}
