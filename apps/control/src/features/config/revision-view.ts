/** A revision in the form of the API, and its progress on each edge. */
import type { LayerName, RevisionStatus, RevisionView } from '@imapfleet/api'
import type { EdgeRow } from '../edges/queries.ts'
import type { RevisionRow } from './queries.ts'
import { appliesTo } from '../desired/desired-of.ts'

export function revisionView(row: RevisionRow): RevisionView {
  return {
    revision: row.revision,
    createdAt: row.createdAt.toISOString(),
    createdBy: row.createdBy,
    note: row.note,
    layer: layerNameOf(row.layerKind, row.layerName),
    changes: row.changes,
    state: row.state,
  }
}

export const layerNameOf = (kind: LayerName['kind'], name: string): LayerName =>
  kind === 'global' ? { kind } : { kind, name }

export function revisionStatus(revision: RevisionView, edges: readonly EdgeRow[]): RevisionStatus {
  const layer = {
    kind: revision.layer.kind,
    name: revision.layer.kind === 'global' ? '' : revision.layer.name,
  }
  return {
    revision,
    edges: edges
      .filter((row) => appliesTo(layer, { edge: row.id, region: row.region }))
      .map((row) => ({ id: row.id, region: row.region, ...standing(revision.revision, row) })),
  }
}

type Standing = Pick<RevisionStatus['edges'][number], 'status' | 'reason'>

/** Revisions build on each other: an edge that applied a newer one has applied this one too. */
export function standing(
  revision: number,
  row: Pick<EdgeRow, 'configApplied' | 'configRejected' | 'configRejectedReason' | 'silent'>,
): Standing {
  if (row.configApplied >= revision) return { status: 'applied', reason: null }
  if (row.configRejected !== null && row.configRejected >= revision)
    return { status: 'rejected', reason: row.configRejectedReason }
  if (row.silent) return { status: 'silent', reason: null }
  return { status: 'pending', reason: null }
}
