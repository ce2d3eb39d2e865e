/** The desired state of one edge, computed from the desired state of the fleet. Pure: every replica computes the same entry. */
import { mergeLayers, type Layer } from '@imapfleet/config'
import {
  wireVersion,
  type Desired,
  type EdgeAddress,
  type LayerVersions,
  type Revocation,
  type DesiredTrace,
} from '@imapfleet/protocol'

export interface LayerHead {
  kind: 'global' | 'region' | 'edge'
  name: string
  revision: number
  /** The version that made this revision. */
  version: number
  document: Layer
}

/** A revision being rolled out. It replaces its layer on the edges that it has reached. */
export interface Rolling extends LayerHead {
  reached: ReadonlySet<string>
}

/** The layers by name. A fleet can have a layer for each edge, so the layers of an edge must be found without a search. */
export type LayersByName = ReadonlyMap<string, LayerHead>

const nameKey = ({ kind, name }: Pick<LayerHead, 'kind' | 'name'>): string => `${kind}/${name}`

export const layersByName = (layers: readonly LayerHead[]): LayersByName =>
  new Map(layers.map((layer) => [nameKey(layer), layer]))

/** Everything from one consistent read of the database. */
export interface FleetState {
  version: number
  layers: LayersByName
  rolling?: Rolling | undefined
  /** `region`: null for all edges, as in `revocations`. */
  traces: readonly (DesiredTrace & { region: string | null })[]
  /** Oldest first. */
  revocations: readonly (Revocation & { region: string | null })[]
}

/** What is wanted of this edge only, and its progress. */
export interface DesiredEdge extends EdgeAddress {
  drain: boolean
  /** The version that last changed `drain`. */
  drainVersion: number
  revocationsApplied: number
  /** The version that the edge claims to run, and the same version if this database issued it. */
  desiredClaimed: number | null
  desiredVersion: number | null
}

/** More revocations than an edge can miss in the lifetime of a server connection, and as many as fit into one message. */
const revocationsMax = 5_000

export function desiredOf(edge: DesiredEdge, fleet: FleetState): Desired {
  return {
    v: wireVersion,
    version: fleet.version,
    config: resolve(edge, fleet.layers, fleet.rolling),
    traces: fleet.traces
      .filter(({ region }) => region === null || region === edge.region)
      .map(({ id, user, expiresAt, bytesMax, bodies }) => ({ id, user, expiresAt, bytesMax, bodies })),
    // An edge need not apply them again after a restart: no old connection survives one.
    revocations: fleet.revocations
      .filter(({ region }) => region === null || region === edge.region)
      .filter(({ sequence }) => sequence > edge.revocationsApplied)
      .slice(-revocationsMax)
      .map(({ sequence, kind, subject, at }) => ({ sequence, kind, subject, at })),
    drain: edge.drain,
  }
}

/**
 * The lowest version with which an entry of the same content is kept. An edge shows that it has applied a change only by
 * the version, and it ignores versions below its own, also of another history.
 * @param refreshed older entries are written again, before their versions leave the history
 */
export function versionMinOf(edge: DesiredEdge, refreshed: number): number {
  const { desiredClaimed, desiredVersion, drainVersion } = edge
  const foreign = desiredClaimed !== null && desiredVersion === null ? desiredClaimed + 1 : 0
  return Math.max(drainVersion, foreign, refreshed)
}

/** global ← region ← edge, merged, with the newest revision among them, and the version of each layer; 0: it has none. */
export function resolve(
  edge: EdgeAddress,
  layers: LayersByName,
  rolling?: Rolling,
): { revision: number; layer: Layer; versions: LayerVersions } {
  const names = [
    { kind: 'global', name: '' },
    { kind: 'region', name: edge.region },
    { kind: 'edge', name: edge.edge },
  ] as const
  const its = names.flatMap((name) => {
    const isRolling = rolling?.reached.has(edge.edge) && nameKey(rolling) === nameKey(name)
    return (isRolling ? rolling : layers.get(nameKey(name))) ?? []
  })
  return {
    revision: Math.max(0, ...its.map((head) => head.revision)),
    versions: Object.assign(
      { global: 0, region: 0, edge: 0 },
      ...its.map(({ kind, version }) => ({ [kind]: version })),
    ),
    layer: its.reduce<Layer>((merged, { document }) => mergeLayers(merged, document), {}),
  }
}

export function appliesTo(layer: Pick<LayerHead, 'kind' | 'name'>, edge: EdgeAddress): boolean {
  if (layer.kind === 'global') return true
  return layer.name === (layer.kind === 'region' ? edge.region : edge.edge)
}
