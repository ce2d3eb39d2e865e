/** What one edge should run, from what the fleet wants as a whole. Pure: the same truth gives the same entry everywhere. */
import { mergeLayers, type Layer } from '@imapfleet/config'
import {
  wireVersion,
  type Desired,
  type EdgeAddress,
  type Revocation,
  type TraceWish,
} from '@imapfleet/protocol'

export interface LayerHead {
  kind: 'global' | 'region' | 'edge'
  name: string
  revision: number
  document: Layer
}

/** A revision on its way: it stands in for its layer on the edges that it has reached. */
export interface Rolling extends LayerHead {
  reached: ReadonlySet<string>
}

/** One consistent reading of the database. */
export interface Truth {
  version: number
  layers: readonly LayerHead[]
  rolling?: Rolling | undefined
  traces: readonly TraceWish[]
  /** Oldest first. */
  revocations: readonly Revocation[]
}

/** What is wanted of this edge alone, and how far it has come. */
export interface DesiredEdge extends EdgeAddress {
  drain: boolean
  revocationsApplied: number
}

/** More than an edge misses in the time that a warm connection lives; as many as fit into one message. */
const revocationsMax = 5_000

export function desiredOf(edge: DesiredEdge, truth: Truth): Desired {
  return {
    v: wireVersion,
    version: truth.version,
    config: resolve(edge, truth.layers, truth.rolling),
    traces: [...truth.traces],
    // What it has applied stays applied, also over its restarts: they leave no old connection.
    revocations: truth.revocations
      .filter(({ sequence }) => sequence > edge.revocationsApplied)
      .slice(-revocationsMax),
    drain: edge.drain,
  }
}

/** global ← region ← edge, merged, and the newest revision among them. */
export function resolve(
  edge: EdgeAddress,
  layers: readonly LayerHead[],
  rolling?: Rolling,
): { revision: number; layer: Layer } {
  const heads =
    rolling && rolling.reached.has(edge.edge)
      ? [...layers.filter(({ kind, name }) => kind !== rolling.kind || name !== rolling.name), rolling]
      : layers
  const order = ['global', 'region', 'edge'] as const
  const its = order.flatMap((kind) => heads.filter((head) => head.kind === kind && appliesTo(head, edge)))
  return {
    revision: Math.max(0, ...its.map((head) => head.revision)),
    layer: its.reduce<Layer>((merged, { document }) => mergeLayers(merged, document), {}),
  }
}

export function appliesTo(layer: Pick<LayerHead, 'kind' | 'name'>, edge: EdgeAddress): boolean {
  if (layer.kind === 'global') return true
  return layer.name === (layer.kind === 'region' ? edge.region : edge.edge)
}
