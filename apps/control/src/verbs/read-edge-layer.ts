/** The layers that override one edge's file, merged, without secrets. */
import { redact, type Layer } from '@imapfleet/config'
import { listLayers } from '../db/revisions.ts'
import { rollingRevision } from '../db/rollouts.ts'
import type { Deps } from '../deps.ts'
import { resolve } from '../desired/desired-of.ts'
import { knownEdge } from './read-edge.ts'

export async function readEdgeLayer(deps: Deps, id: string): Promise<{ revision: number; layer: Layer }> {
  const { region } = await knownEdge(deps, id)
  const [layers, rolling] = [await listLayers(deps.db.orm), await rollingRevision(deps.db.orm)]
  const { revision, layer } = resolve({ edge: id, region }, layers, rolling)
  return { revision, layer: redact(layer) }
}
