/** The layers that override one edge's file, merged, without secrets. */
import { redact, type Layer } from '@imapfleet/config'
import { listLayers } from './queries.ts'
import { rollingRevision } from '../rollouts/queries.ts'
import type { Deps } from '../../deps.ts'
import { resolve } from '../desired/desired-of.ts'
import { knownEdge } from '../edges/read-edge.ts'

export async function readEdgeLayer(deps: Deps, id: string): Promise<{ revision: number; layer: Layer }> {
  const { region } = await knownEdge(deps, id)
  const [layers, rolling] = [await listLayers(deps.db.orm), await rollingRevision(deps.db.orm)]
  const { revision, layer } = resolve({ edge: id, region }, layers, rolling)
  return { revision, layer: redact(layer) }
}
