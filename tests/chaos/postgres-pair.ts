/**
 * Postgres with a synchronous standby: what the primary has committed is on the standby too. The programs of the machine
 * are used, because the package has no pg_basebackup.
 */
import { existsSync, globSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import {
  findProgram,
  ownDirectory,
  postgresServer,
  runToEnd,
  type Ground,
  type Postgres,
} from '@imapfleet/local'
import postgres from 'postgres'
import { environmentOf } from '../support/environment.ts'
import { until } from '../support/until.ts'
import { patienceMs } from './chaos-fleet.ts'

/** The directory with pg_basebackup and the server; undefined if this machine has none. */
export function findPostgresPrograms(): string | undefined {
  const found = [findProgram('pg_basebackup') ?? '', ...globSync('/usr/lib/postgresql/*/bin/pg_basebackup')]
  return found
    .filter((file) => file !== '')
    .map((file) => dirname(file))
    .find((directory) => ['postgres', 'initdb'].every((name) => existsSync(join(directory, name))))
}

export class PostgresPair {
  /** With the addresses of both. The process is undefined. */
  readonly both: Postgres
  #primary: Postgres
  #standby: Postgres
  readonly #programs: string
  readonly #ground: Ground

  private constructor(parts: { primary: Postgres; standby: Postgres; programs: string; ground: Ground }) {
    this.#primary = parts.primary
    this.#standby = parts.standby
    this.#programs = parts.programs
    this.#ground = parts.ground
    const url = parts.primary.url.replace(
      parts.primary.place,
      `${parts.primary.place},${parts.standby.place}`,
    )
    this.both = { ...parts.primary, url: `${url}?target_session_attrs=read-write`, process: undefined }
  }

  static async start(ground: Ground, programs: string): Promise<PostgresPair> {
    const primary = await serverOf(ground, programs, 'postgres-1')
    await primary.process?.start()
    await copyData(ground, programs, primary, 'postgres-2')
    const standby = await serverOf(ground, programs, 'postgres-2')
    await follow(standby, primary)
    return new PostgresPair({ primary, standby, programs, ground })
  }

  /** Kills the primary and promotes the standby. */
  async failOver(): Promise<void> {
    await this.#primary.process?.kill()
    await query(this.#standby, (sql) => sql`select pg_promote()`)
  }

  /** Makes the server that was killed the standby of the new primary. */
  async rebuildStandby(): Promise<void> {
    const [primary, lost] = [this.#standby, this.#primary]
    await copyData(this.#ground, this.#programs, primary, lost.process?.name ?? '')
    await follow(lost, primary)
    this.#primary = primary
    this.#standby = lost
  }

  async stop(): Promise<void> {
    await Promise.all([this.#primary.process?.stop(), this.#standby.process?.stop()])
  }
}

const serverOf = async (ground: Ground, programs: string, name: string): Promise<Postgres> =>
  await postgresServer({
    ground,
    name,
    programs: { initdb: join(programs, 'initdb'), postgres: join(programs, 'postgres') },
    durable: false,
    settings: { synchronous_commit: 'on' },
  })

/** Replaces the data of the server of this name, which must not run. */
async function copyData(ground: Ground, programs: string, primary: Postgres, name: string): Promise<void> {
  const home = ownDirectory(ground, 'postgres', name)
  const data = join(home, 'data')
  await rm(data, { recursive: true, force: true })
  const args = ['-d', primary.url, '-D', data, '-R', '-X', 'stream', '-c', 'fast', '--no-sync']
  await runToEnd(ground, join(programs, 'pg_basebackup'), args, {
    cwd: home,
    env: environmentOf({ LC_ALL: 'C' }),
  })
}

async function follow(standby: Postgres, primary: Postgres): Promise<void> {
  await standby.process?.start()
  await query(primary, async (sql) => {
    await sql`alter system set synchronous_standby_names = '*'`
    await sql`select pg_reload_conf()`
    await until(
      'a synchronous standby',
      async () => (await sql`select 1 from pg_stat_replication where sync_state = 'sync'`).length > 0,
      patienceMs,
    )
  })
}

async function query(server: Postgres, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(server.url, { max: 1, onnotice: () => {} })
  try {
    await work(sql)
  } finally {
    await sql.end({ timeout: 1 })
  }
}
