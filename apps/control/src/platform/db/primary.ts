/**
 * Finds the primary among several servers, for each new connection. The driver's own choice is not used: with two hosts it
 * never reports that neither can be reached, and it takes a standby of Postgres 14 or newer for writable.
 */
import { connect, type Socket } from 'node:net'
import type postgres from 'postgres'
import type { DatabaseAddress, DatabaseHost } from './address.ts'
import { openClient } from './client.ts'

/** Seconds for the question to one server. */
const answerTimeoutS = 3

type DriverOptions = postgres.Options<Record<string, postgres.PostgresType>>

/** Options of the driver: the single host, or the choice among several. */
export function toPrimary(address: DatabaseAddress): DriverOptions {
  const { hosts } = address
  const [first] = hosts
  if (!first || hosts.length < 2) return first && first.host !== '' ? driverHost(first) : {}
  let known: DatabaseHost | undefined
  let asking: Promise<DatabaseHost | undefined> | undefined
  const socket = async (): Promise<Socket> => {
    asking ??= known ? undefined : findPrimary(address).finally(() => (asking = undefined))
    known = (await asking) ?? known
    // Without a primary the connection fails, with the reason of the first host.
    const host = known ?? first
    const connection = Object.assign(connect(host.port, host.host), { host: host.host })
    // Each lost connection may mean that the primary has changed.
    connection.once('close', () => (known = undefined))
    return connection
  }
  // The type of the driver leaves out that this is possible.
  return { socket, target_session_attrs: 'primary' } as unknown as DriverOptions
}

/** The first host that says so. Undefined if none does. */
async function findPrimary({ url, hosts, ssl }: DatabaseAddress): Promise<DatabaseHost | undefined> {
  const answers = hosts.map(async (host) => {
    const sql = openClient(url, { ...driverHost(host), ssl, max: 1, connect_timeout: answerTimeoutS })
    try {
      const [row] = await sql<{ standby: boolean }[]>`select pg_is_in_recovery() as standby`
      if (row?.standby !== false) throw new Error(`${host.host} is a standby`)
      return host
    } finally {
      await sql.end({ timeout: 0 })
    }
  })
  return await Promise.any(answers).catch(() => undefined)
}

/** As lists, because the driver cuts a text at its first colon, and an IPv6 address has colons. */
const driverHost = ({ host, port }: DatabaseHost): DriverOptions =>
  // The type of the driver leaves out lists.
  ({ host: [host], port: [port] }) as unknown as DriverOptions
