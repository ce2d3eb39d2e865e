/**
 * The configuration to start with: the edge's own file, and over it what the fleet gave it last. Only so do keys take
 * effect that are read at a start.
 */
import { checkLayer, mergeLayers, resolveConfig, type EdgeConfig, type Layer } from '@imapfleet/config'
import type { Log } from '@imapfleet/observe'
import { LastGood } from './last-good.ts'

export interface LastConfig {
  revision: number
  config: EdgeConfig
}

/** A revision that this edge cannot be started with, and why. */
export interface Unstartable {
  revision: number
  reason: string
}

/** Undefined where there is none, or none that is right over this file. */
export function lastConfig(file: EdgeConfig, document: Layer, log: Log): LastConfig | undefined {
  if (file.fleet.servers.length === 0) return undefined
  const last = new LastGood(file.fleet.stateDir, log).read()
  const layer = last && checkLayer(last.config.layer)
  const resolved = layer?.ok ? resolveConfig(mergeLayers(document, layer.layer)) : undefined
  return last && resolved?.ok ? { revision: last.config.revision, config: resolved.config } : undefined
}
