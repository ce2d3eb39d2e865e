/**
 * The last desired state that this edge has applied, on disk. The edge starts with its configuration: only so do keys take
 * effect that are read at a start, and the edge serves with the fleet's configuration while the fleet is away.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkLayer, mergeLayers, resolveConfig, type EdgeConfig, type Layer } from '@imapfleet/config'
import { reasonOf, type Log } from '@imapfleet/observe'
import { decode, desiredSchema, encode, type Desired } from '@imapfleet/protocol'
import type { FleetConfig } from '../edge/start.ts'
import { replaceStateFile } from './state-file.ts'

const fileIn = (stateDir: string) => join(stateDir, 'desired.json')

/** Undefined if there is none, or none that can be read. */
export function readLastGood(stateDir: string, log: Log): Desired | undefined {
  const file = fileIn(stateDir)
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

/** A full or read-only disk is logged and does not stop the edge. */
export function writeLastGood(stateDir: string, desired: Desired, log: Log): void {
  try {
    replaceStateFile(fileIn(stateDir), encode(desired))
  } catch (error) {
    log.warn('last_good_unwritten', { reason: reasonOf(error) })
  }
}

/** The configuration of the last good state over the edge's own file; undefined if there is none without mistakes. */
export function lastGoodConfig(file: EdgeConfig, document: Layer, log: Log): FleetConfig | undefined {
  if (file.fleet.servers.length === 0) return undefined
  const last = readLastGood(file.fleet.stateDir, log)
  if (!last) return undefined
  const resolved = resolveOver(document, last.config.layer)
  return resolved.ok ? { revision: last.config.revision, config: resolved.config } : undefined
}

/** The fleet's layer over the edge's own file. */
export function resolveOver(
  document: Layer,
  layer: Desired['config']['layer'],
): ReturnType<typeof resolveConfig> {
  const checked = checkLayer(layer)
  return checked.ok ? resolveConfig(mergeLayers(document, checked.layer)) : checked
}
