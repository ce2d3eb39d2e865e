/** Disk space of one day of one edge in each table, including indexes. */
import type { BenchPlane } from '../fleet/plane.ts'

export interface Size {
  table: string
  rows: number
  /** Bytes by edge and day. */
  bytesEdgeDay: number
}

export async function sizesOf({ sql }: BenchPlane, edges: number, days: number): Promise<Size[]> {
  const kept = [
    { table: 'reports', days: 1 },
    { table: 'history_10s', days: 1 },
    { table: 'history_1m', days },
    { table: 'history_1h', days },
  ]
  return await Promise.all(
    kept.map(async ({ table, days: its }) => {
      const [row] = await sql<{ bytes: string; rows: string }[]>`
        select sum(pg_total_relation_size(inhrelid)) as bytes, sum(reltuples) as rows
        from pg_inherits join pg_class on pg_class.oid = inhrelid where inhparent = ${table}::regclass`
      return { table, rows: Number(row?.rows), bytesEdgeDay: Number(row?.bytes) / edges / its }
    }),
  )
}
