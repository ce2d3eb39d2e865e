/** All current layers, without secrets. */
import { redact } from '@imapfleet/config'
import { layerText, type configViewSchema } from '@imapfleet/api'
import type { z } from 'zod'
import { listLayers, newestRevision } from './queries.ts'
import type { Deps } from '../../deps.ts'
import { layerNameOf } from './revision-view.ts'

export async function readConfig({ db }: Deps): Promise<z.infer<typeof configViewSchema>> {
  const layers = await listLayers(db.orm)
  const named = layers.map(
    ({ kind, name, document }) => [layerText(layerNameOf(kind, name)), redact(document)] as const,
  )
  return {
    revision: await newestRevision(db.orm),
    layers: Object.fromEntries(named.toSorted(([a], [b]) => (a < b ? -1 : 1))),
  }
}
