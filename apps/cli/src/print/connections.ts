/** Prints connections of the fleet: one by one, or as sums by edge and upstream. */
import type { OrderView } from '@imapfleet/api'
import type { Connection } from '@imapfleet/protocol'
import type { Style } from './colour.ts'
import { edgeColumn } from './edge-column.ts'
import type { Column } from './table.ts'
import { ago } from './time.ts'

interface Row extends Connection {
  edge: string
}

const stateStyle: Readonly<Record<Connection['state'], Style | undefined>> = {
  leased: 'green',
  resetting: 'yellow',
  idle: undefined,
}

/** Of the edges that answered. */
export const connectionRows = ({ edges }: Pick<OrderView<'who'>, 'edges'>): Row[] =>
  edges.flatMap(({ id, result }) => (result ?? []).map((connection) => ({ edge: id, ...connection })))

export function connectionColumns(now: number): Column<Row>[] {
  return [
    { title: 'USER', cell: (row) => row.user },
    edgeColumn('EDGE', (row) => row.edge),
    { title: 'UPSTREAM', cell: (row) => row.upstream },
    { title: 'STATE', cell: (row) => row.state, style: (row) => stateStyle[row.state] },
    { title: 'CLIENT', cell: (row) => row.client ?? '' },
    { title: 'USES', cell: (row) => String(row.uses), align: 'right' },
    {
      title: 'LAST USED',
      cell: (row) => ago(row.since, now),
      cut: 'never',
      raw: (row) => new Date(row.since).toISOString(),
    },
  ]
}

/** The connections of one edge to one upstream. */
interface Pool extends Record<Connection['state'], number> {
  edge: string
  upstream: string
  users: number
}

export function poolsOf(rows: readonly Row[]): Pool[] {
  const groups = Map.groupBy(rows, ({ edge, upstream }) => JSON.stringify([edge, upstream]))
  return [...groups.values()].map((group) => {
    const number = (state: Connection['state']) => group.filter((row) => row.state === state).length
    return {
      edge: group[0]?.edge ?? '',
      upstream: group[0]?.upstream ?? '',
      users: new Set(group.map(({ user }) => user)).size,
      leased: number('leased'),
      resetting: number('resetting'),
      idle: number('idle'),
    }
  })
}

const figure = (title: string, cell: (pool: Pool) => number): Column<Pool> => ({
  ...{ title, align: 'right' },
  cell: (pool) => String(cell(pool)),
})

export const poolColumns: Column<Pool>[] = [
  edgeColumn('EDGE', (pool) => pool.edge),
  { title: 'UPSTREAM', cell: (pool) => pool.upstream },
  figure('USERS', (pool) => pool.users),
  figure('LEASED', (pool) => pool.leased),
  figure('RESETTING', (pool) => pool.resetting),
  figure('IDLE', (pool) => pool.idle),
]
