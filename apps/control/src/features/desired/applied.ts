/**
 * What an edge has applied. The only place that compares what an edge reports with a change: a version counts only if
 * this database issued it, so numbers from before the restore of an older database prove nothing.
 */
import type { LayerVersions } from '@imapfleet/protocol'

/** Null: the version was not issued for this layer by this database. */
export type OwnLayerVersions = { [kind in keyof LayerVersions]: number | null }

/** The part of an edge's row that says what it runs. */
export interface AppliedByEdge {
  /** Null: the edge is of a release that reports no versions. */
  desiredClaimed: number | null
  configApplied: number
  configVersions: OwnLayerVersions | null
  configRejected: number | null
  configRejectedReason: string | null
  configRejectedVersions: OwnLayerVersions | null
  revocationsApplied: number
  silent: boolean
}

/** A revision, and the layer that it changes. */
export interface LayerChange {
  layerKind: keyof LayerVersions
  revision: number
  version: number
}

interface ChangeStatus {
  status: 'applied' | 'pending' | 'rejected' | 'silent'
  /** Why it was rejected. */
  reason: string | null
}

/**
 * Whether the edge runs this revision, or a later one of the same layer. Edges without versions are compared by the
 * number of the revision.
 */
export function statusOfRevision(change: LayerChange, edge: AppliedByEdge): ChangeStatus {
  const isIn = (versions: OwnLayerVersions | null, revision: number | null) =>
    versions === null
      ? edge.desiredClaimed === null && revision !== null && revision >= change.revision
      : (versions[change.layerKind] ?? -1) >= change.version
  if (isIn(edge.configVersions, edge.configApplied)) return { status: 'applied', reason: null }
  if (edge.configRejected !== null && isIn(edge.configRejectedVersions, edge.configRejected))
    return { status: 'rejected', reason: edge.configRejectedReason }
  return { status: edge.silent ? 'silent' : 'pending', reason: null }
}

/**
 * Whether the edge has applied the revocation of this sequence. An edge that has restarted since has applied all earlier
 * revocations.
 */
export function statusOfRevocation(
  sequence: number,
  { revocationsApplied, silent }: Pick<AppliedByEdge, 'revocationsApplied' | 'silent'>,
): Exclude<ChangeStatus['status'], 'rejected'> {
  return revocationsApplied >= sequence ? 'applied' : silent ? 'silent' : 'pending'
}
