/** Which edges are meant: all, those of a region, or one. */
import { configName } from '@imapfleet/config/names'
import { z } from 'zod'

export const fleetTargetSchema = z
  .discriminatedUnion('kind', [
    z.object({ kind: z.literal('all') }),
    z.object({ kind: z.literal('region'), name: configName }),
    z.object({ kind: z.literal('edge'), name: configName }),
  ])
  .meta({ id: 'FleetTarget' })
export type FleetTarget = z.infer<typeof fleetTargetSchema>
