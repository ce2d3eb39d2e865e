/** Prints a revision: its changes, and its state on each edge. */
import { layerText, safe, type RevisionStatus, type RevisionView } from '@imapfleet/api'
import type { Paint, Style } from './colour.ts'
import { edgeColumn } from './edge-column.ts'
import { table, type Column, type TableLayout } from './table.ts'
import { dayAndClock } from './time.ts'

type EdgeStatus = RevisionStatus['edges'][number]

const statusStyle: Readonly<Record<EdgeStatus['status'], Style>> = {
  applied: 'green',
  pending: 'yellow',
  rejected: 'red',
  silent: 'red',
}

const columns: Column<EdgeStatus>[] = [
  edgeColumn('EDGE', (edge) => edge.id),
  { title: 'REGION', cell: (edge) => edge.region },
  { title: 'STATUS', cell: (edge) => edge.status, style: (edge) => statusStyle[edge.status] },
  { title: 'REASON', cell: (edge) => edge.reason ?? '', cut: 'middle' },
]

/** Head, changes, edges. */
export function revisionLines({ revision, edges }: RevisionStatus, page: TableLayout): string[] {
  const who = `${safe(revision.createdBy)}, ${dayAndClock(revision.createdAt)}`
  const note = revision.note === '' ? '' : `: ${safe(revision.note)}`
  return [
    page.paint('bold', `revision ${revision.revision}, ${safe(layerText(revision.layer))}`) +
      ` (${who})${note}`,
    ...changeLines(revision.changes, page.paint),
    ...edgeLines(edges, page),
  ]
}

export const edgeLines = (edges: readonly EdgeStatus[], page: TableLayout) =>
  edges.length === 0
    ? ['no edge is in this layer yet; edges that join later will apply it']
    : table(columns, edges, page)

/** `- key old` and `+ key new`, as a diff. */
export function changeLines(changes: RevisionView['changes'], paint: Paint): string[] {
  if (changes.length === 0) return ['no changes']
  return changes.flatMap(({ key, before, after }) => [
    ...(before === null ? [] : [paint('red', safe(`- ${key} ${JSON.stringify(before)}`))]),
    ...(after === null ? [] : [paint('green', safe(`+ ${key} ${JSON.stringify(after)}`))]),
  ])
}
