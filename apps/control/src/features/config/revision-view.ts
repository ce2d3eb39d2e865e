/** A revision in the form of the API, and its progress on each edge. */
import type { LayerName, RevisionStatus, RevisionView } from '@imapfleet/api'
import type { RevisionRow } from './queries.ts'
import { appliesTo, statusOfRevision, type AppliedByEdge } from '../desired/service.ts'

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

export function revisionStatus(
  row: RevisionRow,
  edges: readonly (AppliedByEdge & { id: string; region: string })[],
): RevisionStatus {
  const layer = { kind: row.layerKind, name: row.layerName }
  return {
    revision: revisionView(row),
    edges: edges
      .filter(({ id, region }) => appliesTo(layer, { edge: id, region }))
      .map((edge) => ({ id: edge.id, region: edge.region, ...statusOfRevision(row, edge) })),
  }
}
