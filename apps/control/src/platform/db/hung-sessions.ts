/**
 * Ends sessions of a replica that hangs between the two halves of a statement: Postgres has parsed it, and waits for its
 * parameters. Postgres counts such a session as active, and none of its timeouts ends it (its limit for a whole transaction would, from
 * Postgres 17 on), so its locks would be held for as long as the replica hangs.
 */
import type { Deps } from '../../deps.ts'
import type { Database } from './database.ts'

/** As for a session that is idle in a transaction. The parameters of a healthy replica come at once. */
const patienceMs = 8_000

interface EndedSession {
  application: string
  host: string | null
}

export async function endHungSessions({ db, log }: Pick<Deps, 'db' | 'log'>): Promise<void> {
  for (const { application, host } of await terminateHung(db, patienceMs))
    log.warn('a session of Postgres was ended because its replica hangs', {
      replica: application,
      host: host ?? 'this host',
    })
}

/** Only sessions of control, with the role of this one. None of them copies data from the client, which looks the same. */
export async function terminateHung(
  { sql }: Pick<Database, 'sql'>,
  olderThanMs: number,
): Promise<EndedSession[]> {
  const ended = await sql<EndedSession[]>`
    select application_name as application, host(client_addr) as host
    from (
      select application_name, client_addr, pg_terminate_backend(pid) as ended
      from pg_stat_activity
      where datname = current_database() and usename = current_user and pid <> pg_backend_pid()
        and application_name like 'imapfleet-control%' and state = 'active' and wait_event = 'ClientRead'
        and state_change < clock_timestamp() - ${olderThanMs}::float8 * interval '1 millisecond'
      offset 0
    ) as sessions
    where ended`
  return [...ended]
}
