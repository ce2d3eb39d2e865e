/** Which document of the fleet's configuration a change is made to. */
import { z } from 'zod'

/** As `edge.id` and `edge.region` are spelled. */
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'use lower-case letters, digits, - and _, at most 63')

export const layerNameSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('global') }),
    z.object({ kind: z.literal('region'), name }),
    z.object({ kind: z.literal('edge'), name }),
  ])
  .meta({ id: 'LayerName' })
export type LayerName = z.infer<typeof layerNameSchema>
