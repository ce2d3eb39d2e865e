/** Whether a layer in an address is of an edge or a region that the fleet does not have. */
import type { EdgeView, LayerName } from '@imapfleet/api'

/** A sentence; undefined: the fleet has it. */
export function unknownLayer(
  layer: LayerName,
  edges: readonly Pick<EdgeView, 'id' | 'region'>[],
): string | undefined {
  if (layer.kind === 'global') return undefined
  const { kind, name } = layer
  if (edges.some(({ id, region }) => name === (kind === 'edge' ? id : region))) return undefined
  return kind === 'edge'
    ? `No edge is named ${name}. Its layer takes effect when an edge of this name joins.`
    : `No edge is in the region ${name}. Its layer takes effect when an edge joins there.`
}
