/**
 * A real Postgres for unit tests. All test files of a process share one server, which starts at the first use. Each
 * caller gets a new database with the current schema.
 */
import { after } from 'node:test'
import {
  layGround,
  postgresServer,
  removeTemporaryDirectory,
  temporaryDirectory,
} from '@imapfleet/local/in-tests'
import postgres from 'postgres'
import { openDatabase, type Database } from './database.ts'
import { migrate } from './migrate.ts'

interface Server {
  /** `postgres://USER:PASSWORD@HOST:PORT`, without a database. */
  url: string
  /** Runs a statement in the database `postgres`. */
  administer: (statement: string) => Promise<void>
  stop: () => Promise<void>
}

let server: Promise<Server> | undefined
let databases = 0

// Here, and not where the server starts: there it would belong to the suite that is the first to need a database.
after(async () => await (await server)?.stop())

/** The migrated database that every test database is copied from. */
const template = 'migrated'

/** An empty database with the current schema. The caller closes it. */
export async function testDatabase(): Promise<Database> {
  const { url, administer } = await (server ??= startServer())
  const name = `test_${++databases}`
  await administer(`create database ${name} template ${template} strategy file_copy`)
  return openDatabase({ url: `${url}/${name}`, hosts: [], ssl: false })
}

async function startServer(): Promise<Server> {
  const directory = temporaryDirectory('unit-postgres')
  const { url, process } = await postgresServer({ ground: layGround(directory), durable: false })
  await process?.start()
  const base = url.slice(0, url.lastIndexOf('/'))
  const sql = postgres(`${base}/postgres`, { max: 1, onnotice: () => undefined })
  const administer = async (statement: string) => void (await sql.unsafe(statement))
  const stop = async () => {
    await sql.end({ timeout: 1 })
    await process?.stop()
    await removeTemporaryDirectory(directory)
  }
  await administer(`create database ${template}`)
  await migrate({ url: `${base}/${template}`, hosts: [], ssl: false })
  return { url: base, administer, stop }
}
