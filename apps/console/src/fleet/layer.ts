/** The layer on the page. It is in the address as `global`, `region/eu` or `edge/eu-1`. */
import { layerText, type LayerName } from '@imapfleet/api'

export function layerIn(text: string | null): LayerName {
  const [, kind, name = ''] = /^(region|edge)\/(.+)$/.exec(text ?? '') ?? []
  return kind === 'region' || kind === 'edge' ? { kind, name } : { kind: 'global' }
}

/** Names of the lower layers, and of the layer itself. `region`: the region of an edge, if known. */
export function chainOf(layer: LayerName, region: string | undefined): string[] {
  if (layer.kind === 'global') return ['global']
  const beneath = layer.kind === 'edge' && region !== undefined ? ['global', `region/${region}`] : ['global']
  return [...beneath, layerText(layer)]
}
