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

/** The reverse of `layerText` of words.ts; undefined for any other text. */
export function layerOfText(text: string): LayerName | undefined {
  const [kind, ...name] = text.split('/')
  return layerNameSchema.safeParse(name.length === 0 ? { kind } : { kind, name: name.join('/') }).data
}
