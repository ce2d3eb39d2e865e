/** Prints revocations: the user or domain, and the state on each edge. */
import type { RevocationRecord, RevocationStatus } from '@imapfleet/api'
import type { Style } from './colour.ts'
import { someNames } from './some-names.ts'
import { edgeColumn } from './edge-column.ts'
import { facts, table, type Column, type TableLayout } from './table.ts'
import { timeColumn } from './time-column.ts'
import { dayAndClock } from './time.ts'

type EdgeStatus = RevocationStatus['edges'][number]

export const revocationColumns: Column<RevocationRecord>[] = [
  { title: 'NUMBER', cell: (row) => String(row.sequence), align: 'right' },
  timeColumn('WHEN', (row) => row.at),
  { title: 'WHO', cell: (row) => row.createdBy },
  { title: 'KIND', cell: (row) => row.kind },
  { title: 'REVOKED', cell: (row) => row.subject },
  { title: 'REGION', cell: (row) => row.region ?? 'all' },
  { title: 'NOTE', cell: (row) => row.note },
]

const statusStyle: Readonly<Record<EdgeStatus['status'], Style>> = {
  applied: 'green',
  pending: 'yellow',
  silent: 'red',
}

const edgeColumns: Column<EdgeStatus>[] = [
  edgeColumn('EDGE', (edge) => edge.id),
  { title: 'REGION', cell: (edge) => edge.region },
  { title: 'STATUS', cell: (edge) => edge.status, style: (edge) => statusStyle[edge.status] },
]

export function revocationLines({ revocation, edges }: RevocationStatus, page: TableLayout): string[] {
  const { sequence, kind, subject, at, createdBy, note } = revocation
  return [
    ...facts(
      [
        ['revocation', String(sequence)],
        [kind, subject],
        ['given', `${dayAndClock(at)} by ${createdBy}`],
        ...(note === '' ? [] : [['note', note] as const]),
      ],
      page,
    ),
    ...table(edgeColumns, edges, page),
  ]
}

/** The edges that have not applied it, in words; undefined if there are none. */
export function whatIsMissing({ edges }: Pick<RevocationStatus, 'edges'>): string | undefined {
  const named = (status: EdgeStatus['status'], what: string) => {
    const ids = edges.filter((edge) => edge.status === status).map(({ id }) => id)
    return ids.length === 0 ? [] : [`${someNames(ids)} ${what}`]
  }
  const missing = [
    ...named('pending', 'has not applied it yet'),
    ...named('silent', 'is silent and will apply it when it returns'),
  ]
  return missing.length === 0 ? undefined : missing.join('; ')
}
