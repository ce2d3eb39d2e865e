/** Names the transaction that others wait for, for the answer to a change that could not have its lock in time. */
import { ServiceError } from '../errors.ts'
import type { Database } from './database.ts'

interface Holder {
  pid: number
  application: string
  host: string | null
  state: string
  seconds: number
}

/** The refusal of a change that waited too long for a lock. */
export async function databaseBusy(db: Pick<Database, 'sql'>): Promise<ServiceError> {
  const holder = await oldestTransaction(db).catch(() => undefined)
  const held = holder
    ? `${holder.application === '' ? 'A client' : holder.application} (process ${holder.pid} of Postgres, from ${holder.host ?? 'this host'}, ` +
      `${holder.state}) has had a transaction open for ${Math.round(holder.seconds)} s`
    : 'Another transaction held a lock that this change needs'
  return new ServiceError(
    'database_busy',
    `${held}: nothing was changed; try again in a few seconds. If a process of control hangs, its transaction is ended automatically.`,
  )
}

/** The oldest transaction that does not wait for a lock itself. */
async function oldestTransaction({ sql }: Pick<Database, 'sql'>): Promise<Holder | undefined> {
  const [holder] = await sql<Holder[]>`
    select pid, application_name as application, host(client_addr) as host, coalesce(state, 'unknown') as state,
      extract(epoch from clock_timestamp() - xact_start)::float8 as seconds
    from pg_stat_activity
    where datname = current_database() and xact_start is not null and pid <> pg_backend_pid()
      and wait_event_type is distinct from 'Lock'
    order by xact_start limit 1`
  return holder
}
