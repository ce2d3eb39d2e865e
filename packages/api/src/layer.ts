/** Names a layer of the fleet's configuration. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'

export const layerNameSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('global') }),
    z.object({ kind: z.literal('region'), name: configName }),
    z.object({ kind: z.literal('edge'), name: configName }),
  ])
  .meta({ id: 'LayerName' })
export type LayerName = z.infer<typeof layerNameSchema>

/** `global`, `region/eu`, `edge/eu-1`. */
export const layerText = (layer: LayerName): string =>
  layer.kind === 'global' ? 'global' : `${layer.kind}/${layer.name}`

/** The reverse of `layerText`; undefined for any other text. */
export function layerOfText(text: string): LayerName | undefined {
  const [kind, ...name] = text.split('/')
  return layerNameSchema.safeParse(name.length === 0 ? { kind } : { kind, name: name.join('/') }).data
}
