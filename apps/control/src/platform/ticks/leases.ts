/**
 * Leases: what only one replica may do at a time. A lease expires, so a replica that hangs holds it for a few seconds
 * only. It has a number, which each transaction of its holder checks, so a replica that wakes up too late changes
 * nothing.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'drizzle-orm'
import type { Database, Queries } from '../db/database.ts'
import { milliseconds, type Fragment, type Sql } from '../db/sql.ts'

const expiryMs = 10_000
const renewMs = 3_000
/** Between two attempts of a caller that waits. */
const retryMs = 200

export class LeaseLost extends Error {
  constructor(name: string) {
    super(
      `this replica no longer holds the lease ${name}: it was stopped or cut off from Postgres for too long`,
    )
    this.name = 'LeaseLost'
  }
}

export class Lease {
  readonly name: string
  readonly #db: Database
  readonly #fence: number

  constructor(db: Database, name: string, fence: number) {
    this.#db = db
    this.name = name
    this.#fence = fence
  }

  /**
   * Throws LeaseLost if another replica may hold the lease. Inside a transaction the lease stays held until its end: a
   * replica that wants it waits until then, and Postgres ends the transaction of a replica that hangs.
   */
  async check(queries: Pick<Queries, 'execute'> = this.#db.orm): Promise<void> {
    // A renewal does not conflict with this lock, and taking the lease does.
    const held = await queries.execute(sql`
      select 1 from leases where name = ${this.name} and fence = ${this.#fence} and until > clock_timestamp()
      for key share`)
    if (held.length === 0) throw new LeaseLost(this.name)
  }

  /** A transaction that commits only if the lease is held. */
  async transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T> {
    return await this.#db.orm.transaction(async (tx) => {
      await this.check(tx)
      return await work(tx)
    })
  }

  /** The same with the plain client. */
  async begin(work: (tx: Sql) => Promise<void>): Promise<void> {
    await this.#db.sql.begin(async (tx) => {
      const held = await tx`select 1 from leases where ${this.#held} for key share`
      if (held.length === 0) throw new LeaseLost(this.name)
      await work(tx)
    })
  }

  /** Without effect if the lease was lost. */
  async renew(): Promise<void> {
    const { sql: tx } = this.#db
    await tx`update leases set until = ${fromNow(tx)} where ${this.#held}`
  }

  async release({ succeeded }: { succeeded: boolean }): Promise<void> {
    const { sql: tx } = this.#db
    const noted = succeeded ? tx`, succeeded_at = clock_timestamp()` : tx``
    await tx`update leases set until = now() ${noted} where ${this.#held}`
  }

  get #held(): Fragment {
    const { sql: tx } = this.#db
    return tx`name = ${this.name} and fence = ${this.#fence} and until > clock_timestamp()`
  }
}

const fromNow = (tx: Sql) => tx`clock_timestamp() + ${expiryMs}::float8 * interval '1 millisecond'`

/** Undefined: another replica holds it. `holder`: the name of this replica, for display. */
export async function takeLease(db: Database, name: string, holder: string): Promise<Lease | undefined> {
  const { sql: tx } = db
  await tx`
    insert into leases (name, holder) select ${name}, ${holder}
    where not exists (select from leases where name = ${name}) on conflict do nothing`
  // `skip locked`: the holder is in a transaction that may still commit.
  const [taken] = await tx<{ fence: number }[]>`
    with free as (select name from leases where name = ${name} and until <= clock_timestamp() for update skip locked)
    update leases set holder = ${holder}, fence = fence + 1, until = ${fromNow(tx)}
    from free where leases.name = free.name returning fence::float8 as fence`
  return taken && new Lease(db, name, taken.fence)
}

/**
 * Runs `work` while this replica holds the lease, and renews the lease meanwhile. Returns false if another replica holds
 * it, for `waitMs` if that is given.
 */
export async function withLease(
  { db, replica }: { db: Database; replica: string },
  name: string,
  work: (lease: Lease) => Promise<void>,
  { waitMs = 0 }: { waitMs?: number } = {},
): Promise<boolean> {
  let lease = await takeLease(db, name, replica)
  for (let waited = 0; !lease && waited < waitMs; waited += retryMs) {
    await sleep(retryMs)
    lease = await takeLease(db, name, replica)
  }
  if (!lease) return false
  // A renewal that fails needs no action: the lease expires, and the next check of the work throws.
  const renewing = setInterval(() => void lease.renew().catch(() => {}), renewMs)
  let succeeded = false
  try {
    await work(lease)
    succeeded = true
  } finally {
    clearInterval(renewing)
    await lease.release({ succeeded }).catch(() => {})
  }
  return true
}

export interface LeaseState {
  name: string
  holder: string
  /** Milliseconds since 1970. */
  succeededAt: number
  /** Milliseconds since the last success. */
  ageMs: number
}

export async function readLeases({ sql: tx }: Database): Promise<LeaseState[]> {
  return await tx<LeaseState[]>`
    select name, holder, ${milliseconds(tx, tx`succeeded_at`)} as "succeededAt",
      ${milliseconds(tx, tx`now() - succeeded_at`)} as "ageMs"
    from leases`
}
