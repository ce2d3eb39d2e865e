/** What one edge should run, from what the fleet wants as a whole. Pure: the same truth gives the same entry everywhere. */
import { mergeLayers, type Layer } from '@imapfleet/config'
import { wireVersion, type Desired, type EdgeAddress, type TraceWish } from '@imapfleet/protocol'

export interface LayerHead {
  kind: 'global' | 'region' | 'edge'
  name: string
  revision: number
  document: Layer
}

/** One consistent reading of the database. */
export interface Truth {
  version: number
  layers: readonly LayerHead[]
  traces: readonly TraceWish[]
}

export function desiredOf(edge: EdgeAddress, truth: Truth): Desired {
  return {
    v: wireVersion,
    version: truth.version,
    config: resolve(edge, truth.layers),
    traces: [...truth.traces],
    revocations: [],
    drain: false,
  }
}

/** global ← region ← edge, merged, and the newest revision among them. */
export function resolve(edge: EdgeAddress, layers: readonly LayerHead[]): { revision: number; layer: Layer } {
  const order = ['global', 'region', 'edge'] as const
  const its = order.flatMap((kind) => layers.filter((layer) => layer.kind === kind && appliesTo(layer, edge)))
  return {
    revision: Math.max(0, ...its.map((layer) => layer.revision)),
    layer: its.reduce<Layer>((merged, { document }) => mergeLayers(merged, document), {}),
  }
}

export function appliesTo(layer: Pick<LayerHead, 'kind' | 'name'>, edge: EdgeAddress): boolean {
  if (layer.kind === 'global') return true
  return layer.name === (layer.kind === 'region' ? edge.region : edge.edge)
}
