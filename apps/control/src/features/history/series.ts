/**
 * The numbers of series in stored figures. Each process caches the numbers it has used, and clears the cache when a
 * connection is lost, because the database after a reconnect may be another or an older one.
 */
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import type { Sql } from '../../platform/db/sql.ts'

/**
 * Labels come from configurations and closed lists. A larger number of series is a mistake, and the rest is not
 * stored.
 */
const seriesMax = 50_000

export class Series {
  readonly #numbers = new Map<string, number>()

  numberOf(key: string): number | undefined {
    return this.#numbers.get(key)
  }

  forget(): void {
    this.#numbers.clear()
  }

  /** Afterwards each key has a number, except keys of metrics that control does not know. */
  async learn(sql: Sql, keys: Iterable<string>): Promise<void> {
    const wanted = [...keys].filter((key) => Object.hasOwn(edgeMetrics, nameOf(key)))
    if (wanted.length === 0 || this.#numbers.size >= seriesMax) return
    await sql`
      insert into series (key) select key from unnest(${wanted}::text[]) as wanted (key)
      where not exists (select from series where series.key = wanted.key)
        and (select count(*) from series) < ${seriesMax}
      on conflict do nothing`
    const rows = await sql<{ id: number; key: string }[]>`
      select id, key from series where key = any(${wanted}::text[])`
    for (const { id, key } of rows) this.#numbers.set(key, id)
  }
}

/** The part of stored figures to read: the requested kinds, and the names of series. */
export interface WantedSeries {
  kinds: ReadonlySet<MetricRow['kind']>
  keyOf: (number: number) => string | undefined
}

/** The series of these metrics. */
export async function readWanted(sql: Sql, names: readonly EdgeMetricName[]): Promise<WantedSeries> {
  const rows = await sql<{ id: number; key: string }[]>`
    select id, key from series where split_part(key, '{', 1) = any(${names as string[]}::text[])`
  const keys = new Map(rows.map(({ id, key }) => [id, key]))
  return { kinds: new Set(names.map((name) => edgeMetrics[name].kind)), keyOf: (number) => keys.get(number) }
}

/** All series, to write figures that were read. */
export async function readAllSeries(
  sql: Sql,
): Promise<WantedSeries & { numberOf: (key: string) => number | undefined }> {
  const rows = await sql<{ id: number; key: string }[]>`select id, key from series`
  const keys = new Map(rows.map(({ id, key }) => [id, key]))
  const numbers = new Map(rows.map(({ id, key }) => [key, id]))
  return {
    kinds: new Set(['counter', 'gauge', 'histogram']),
    keyOf: (number) => keys.get(number),
    numberOf: (key) => numbers.get(key),
  }
}

const nameOf = (key: string): string => {
  const brace = key.indexOf('{')
  return brace < 0 ? key : key.slice(0, brace)
}
