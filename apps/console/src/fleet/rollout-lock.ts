/** What a rollout under way keeps from being written. Control refuses the same, but only when a revision is written. */
import { isUnderWay, layerText, type LayerName, type RolloutSummary } from '@imapfleet/api'
import type { ApiClient } from '@imapfleet/client'

/** The rollout that is running or paused; the newest is the only one that can be. */
export const underWay = (newest: RolloutSummary | undefined): RolloutSummary | undefined =>
  newest && isUnderWay(newest) ? newest : undefined

export const readRolling = async (
  call: ApiClient['call'],
  signal: AbortSignal,
): Promise<RolloutSummary | undefined> =>
  underWay((await call('listRollouts', { query: { limit: 1 }, signal })).rollouts[0])

/** Why this layer cannot be written; undefined if it can. */
export function lockOf(
  rolling: RolloutSummary | undefined,
  layer: LayerName,
  { inWaves }: { inWaves: boolean },
): string | undefined {
  if (!rolling) return undefined
  const one = `revision ${rolling.revision} of ${layerText(rolling.layer)} is being rolled out`
  if (layerText(rolling.layer) === layerText(layer))
    return `This layer can be written when the rollout has ended: ${one}.`
  return inWaves
    ? `Only one rollout can run at a time: ${one}. Write immediately, or wait until it has ended.`
    : undefined
}

/** How a layer that is locked can still be overridden. */
export const aroundLock: Readonly<Record<LayerName['kind'], string>> = {
  global: 'In an emergency, change the layer of a region or of an edge, or abort the rollout.',
  region: 'In an emergency, change the layer of an edge, or abort the rollout.',
  edge: 'In an emergency, abort the rollout.',
}
