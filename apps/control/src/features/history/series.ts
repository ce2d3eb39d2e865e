/**
 * The numbers of series in stored figures. They are shared by the whole fleet. Each is charged to the edge that reported
 * it first, and no edge can be charged more than its quota.
 */
import { edgeMetrics, type EdgeMetricName, type MetricRow } from '@imapfleet/observe'
import { seriesOfEdgeMax } from '@imapfleet/protocol'
import type { Database } from '../../platform/db/database.ts'
import { instantSql, type Sql } from '../../platform/db/sql.ts'

/** A series that was not reported for this time is not charged any more. Its history stays readable. */
const chargedDays = 30
/** How often the time of the last report is written. */
const refreshMs = 12 * 3_600_000
/** How long an edge that has reached its quota gets no new series. */
const quotaPauseMs = 300_000
/** Label values of old configurations make the cache grow. */
const cachedMax = 200_000

/** The numbers that one process has used. It forgets them when a connection is lost: the next database may be an older one. */
export class Series {
  readonly #db: Pick<Database, 'sql' | 'losses'>
  readonly #now: () => number
  readonly #numbers = new Map<string, { number: number; until: number }>()
  /** Those whose last use must be written again. */
  readonly #stale = new Set<string>()
  /** Edges at their quota, and until when. */
  readonly #full = new Map<string, number>()
  #losses = 0
  /** The time of the last refresh: to ask the clock for each series of each report is slow. */
  #refreshedAt = -Infinity
  #learning: Promise<unknown> = Promise.resolve()

  constructor(db: Pick<Database, 'sql' | 'losses'>, now: () => number = () => performance.now()) {
    this.#db = db
    this.#now = now
  }

  numberOf(key: string): number | undefined {
    const known = this.#numbers.get(key)
    if (!known) return undefined
    if (known.until <= this.#refreshedAt) this.#stale.add(key)
    return known.number
  }

  /** Before each use: forgets numbers of another database, and writes that those in use are used. */
  async refresh(): Promise<void> {
    this.#refreshedAt = this.#now()
    const losses = this.#db.losses()
    if (losses !== this.#losses) {
      this.#losses = losses
      this.#numbers.clear()
      this.#full.clear()
    }
    const stale = [...this.#stale]
    this.#stale.clear()
    if (stale.length === 0) return
    for (const key of stale) this.#numbers.delete(key)
    await this.#read(stale)
  }

  /**
   * Gives each key a number, except new ones of an edge that is at its quota. False: no key was found or added. The keys
   * must be those of parsed reports.
   */
  async learn(keysOfEdges: ReadonlyMap<string, ReadonlySet<string>>): Promise<boolean> {
    // One after the other: two statements at the same time would both find room in a quota. Replicas can do so, and an edge
    // can have as many times its quota.
    const learning = this.#learning.then(async () => await this.#learnNow(keysOfEdges))
    this.#learning = learning.catch(() => {})
    return await learning
  }

  async #learnNow(keysOfEdges: ReadonlyMap<string, ReadonlySet<string>>): Promise<boolean> {
    const now = this.#now()
    const wanted = [...keysOfEdges]
      .filter(([edge]) => (this.#full.get(edge) ?? 0) <= now)
      .flatMap(([edge, keys]) => [...keys].map((key) => ({ edge, key })))
    if (wanted.length === 0) return false
    await this.#db.sql`
      insert into series (key, introduced_by)
      select key, edge from (
        select key, edge, row_number() over (partition by edge order by place) as nth from (
          -- A key that several edges report is charged to one.
          select key, min(edge) as edge, min(place) as place
          from unnest(${wanted.map(({ key }) => key)}::text[], ${wanted.map(({ edge }) => edge)}::text[])
            with ordinality as wanted (key, edge, place)
          where not exists (select from series where series.key = wanted.key)
          group by key
        ) as different
      ) as counted
      where nth + (
        select count(*) from series
        where introduced_by = counted.edge and used_at > now() - ${chargedDays} * interval '1 day'
      ) <= ${seriesOfEdgeMax}
      on conflict do nothing`
    const found = await this.#read([...new Set(wanted.map(({ key }) => key))])
    for (const { edge, key } of wanted) if (!this.#numbers.has(key)) this.#full.set(edge, now + quotaPauseMs)
    return found > 0
  }

  async #read(keys: readonly string[]): Promise<number> {
    const { sql } = this.#db
    await sql`
      update series set used_at = now() where id in (
        select id from series where key = any(${keys as string[]}::text[]) and used_at < now() - interval '6 hours'
        for update skip locked)`
    const rows = await sql<{ id: number; key: string }[]>`
      select id, key from series where key = any(${keys as string[]}::text[])`
    if (this.#numbers.size > cachedMax) this.#numbers.clear()
    const until = this.#now() + refreshMs
    for (const { id, key } of rows) this.#numbers.set(key, { number: id, until })
    return rows.length
  }
}

/** Deletes series that no stored figure can contain. */
export async function deleteOldSeries(sql: Sql, before: number): Promise<void> {
  await sql`delete from series where used_at < ${instantSql(sql, before)}`
}

/** The part of stored figures to read: the requested kinds, and the names of series. */
export interface RequestedSeries {
  kinds: ReadonlySet<MetricRow['kind']>
  keyOf: (number: number) => string | undefined
}

/** The series of these metrics. */
export async function findRequestedSeries(
  sql: Sql,
  names: readonly EdgeMetricName[],
): Promise<RequestedSeries> {
  const rows = await sql<{ id: number; key: string }[]>`
    select id, key from series where split_part(key, '{', 1) = any(${names as string[]}::text[])`
  const keys = new Map(rows.map(({ id, key }) => [id, key]))
  return { kinds: new Set(names.map((name) => edgeMetrics[name].kind)), keyOf: (number) => keys.get(number) }
}

/** All series, to write figures that were read. */
export async function readAllSeries(
  sql: Sql,
): Promise<RequestedSeries & { numberOf: (key: string) => number | undefined }> {
  const rows = await sql<{ id: number; key: string }[]>`select id, key from series`
  const keys = new Map(rows.map(({ id, key }) => [id, key]))
  const numbers = new Map(rows.map(({ id, key }) => [key, id]))
  return {
    kinds: new Set(['counter', 'gauge', 'histogram']),
    keyOf: (number) => keys.get(number),
    numberOf: (key) => numbers.get(key),
  }
}
