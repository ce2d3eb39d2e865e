/** Which document of the configuration is looked at; kept in the address as `global`, `region/eu`, `edge/eu-1`. */
import type { LayerName } from '@imapfleet/protocol'

export const layerText = (layer: LayerName): string =>
  layer.kind === 'global' ? 'global' : `${layer.kind}/${layer.name}`

export function layerIn(text: string | null): LayerName {
  const [, kind, name = ''] = /^(region|edge)\/(.+)$/.exec(text ?? '') ?? []
  return kind === 'region' || kind === 'edge' ? { kind, name } : { kind: 'global' }
}
