/**
 * A fleet whose database can be replaced by an older copy of itself: real nats-server, Postgres and control, and two edges,
 * each with a separate stub mail server, so that a test sees the connections of each edge.
 */
import { existsSync, readFileSync } from 'node:fs'
import { edgeProxy, type EdgeProcess } from '@imapfleet/local'
import {
  buckets,
  decode,
  desiredSchema,
  edgeStatsSchema,
  type Desired,
  type EdgeStats,
} from '@imapfleet/protocol'
import { jetstreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import postgres from 'postgres'
import { MailSocket } from './mail-socket.ts'
import { Plane } from './plane.ts'
import { connectNats } from './simulated-edge.ts'
import { listeningStub } from './stub-edge.ts'
import type { StubImapd } from './stub-imapd.ts'
import { until } from './until.ts'

/** Each has one user at each edge. */
export const domains = ['alice.example', 'bob.example', 'carol.example'] as const

export interface RestorableEdge {
  edge: EdgeProcess
  server: StubImapd
}

export class RestorableFleet {
  readonly plane: Plane
  readonly eu: RestorableEdge
  readonly us: RestorableEdge
  readonly #nats: NatsConnection
  /** Connected to another database, so that it can replace ours. */
  readonly #admin: postgres.Sql
  /** Of an admin. Another database needs another one. */
  token: string

  private constructor(plane: Plane, eu: RestorableEdge, us: RestorableEdge, nats: NatsConnection) {
    this.plane = plane
    this.eu = eu
    this.us = us
    this.#nats = nats
    this.token = plane.token
    this.#admin = postgres(plane.postgres.url.replace(/\/\w+$/, '/postgres'), {
      max: 1,
      fetch_types: false,
      onnotice: () => undefined,
    })
  }

  static async start(): Promise<RestorableFleet> {
    const plane = await Plane.start()
    const start = async (region: string): Promise<RestorableEdge> => {
      const server = await listeningStub(domains.map((domain) => `${region}-1@${domain}`))
      const edge = await edgeProxy({
        ground: plane.ground,
        id: `${region}-1`,
        region,
        upstream: { host: '127.0.0.1', port: server.port },
        nats: plane.nats,
        config: {
          upstreams: { main: { healthIntervalMs: 0 } },
          fleet: { heartbeatMs: 300, reconcileMs: 1_000 },
          process: { drainTimeoutMs: 100 },
        },
      })
      await edge.process.start()
      return { edge, server }
    }
    const [eu, us] = await Promise.all([start('eu'), start('us')])
    return new RestorableFleet(plane, eu, us, await connectNats(plane.nats))
  }

  get edges(): RestorableEdge[] {
    return [this.eu, this.us]
  }

  async stop(): Promise<void> {
    await Promise.all(
      this.edges.map(async ({ edge, server }) => {
        edge.process.send('SIGCONT')
        await edge.process.stop()
        await server.close()
      }),
    )
    await this.#nats.close()
    await this.#admin.end({ timeout: 1 })
    await this.plane.stop()
  }

  async api(path: string, body?: unknown): Promise<{ status: number; body: unknown }> {
    return await this.plane.api(path, { token: this.token, ...(body !== undefined && { body }) })
  }

  /** Copies the database as it is now. */
  async dump(): Promise<void> {
    await this.#admin.unsafe('drop database if exists dump')
    await this.#alone(() => this.#admin.unsafe('create database dump template imapfleet'))
  }

  /** Replaces the database by the copy, or by an empty one. Control is stopped. */
  async restore(from: 'dump' | 'nothing'): Promise<void> {
    await this.#alone(() => this.#admin.unsafe('drop database imapfleet'))
    await this.#admin.unsafe(
      from === 'dump' ? 'create database imapfleet template dump' : 'create database imapfleet',
    )
    if (from === 'nothing') this.token = await this.plane.control.createToken('tests', 'admin')
  }

  async loseBucket(): Promise<void> {
    const manager = await jetstreamManager(this.#nats)
    await manager.streams.delete(`KV_${buckets.desired}`)
  }

  /** Disconnects everybody from our database while this runs. */
  async #alone(work: () => Promise<unknown>): Promise<void> {
    await this.#admin.unsafe('alter database imapfleet allow_connections false')
    await until('the end of all connections', async () => {
      await this.#admin`
        select pg_terminate_backend(pid) from pg_stat_activity where datname = 'imapfleet'`
      const [row] = await this.#admin`
        select count(*)::int as left from pg_stat_activity where datname = 'imapfleet'`
      return row?.['left'] === 0
    })
    await work()
    await this.#admin`update pg_database set datallowconn = true where datname = 'imapfleet'`
  }
}

/** What the edge has really applied: its state file has a configuration only after it was put in force. */
export function appliedBy({ edge }: RestorableEdge): Desired | undefined {
  const file = `${edge.configFile.slice(0, edge.configFile.lastIndexOf('/'))}/state/desired.json`
  if (!existsSync(file)) return undefined
  const decoded = decode(desiredSchema, readFileSync(file))
  return decoded.ok ? decoded.value : undefined
}

export const edgeStatsAt = async ({ edge }: RestorableEdge): Promise<EdgeStats> =>
  edgeStatsSchema.parse(await (await fetch(`http://127.0.0.1:${edge.httpPort}/stats`)).json())

/** Open connections of the users of this domain at the mail server of the edge. */
export const connectionsOf = ({ server }: RestorableEdge, domain: string): number =>
  server.connections.filter((each) => each.open && each.user?.endsWith(`@${domain}`)).length

/**
 * Leaves an idle connection of the user of this domain at the edge. Each edge has its own, because a login that is new to
 * one edge makes the other ones close their connections of the same user.
 */
export async function warm(at: RestorableEdge, domain: string): Promise<void> {
  const client = await MailSocket.greeted({ port: at.edge.imapPort })
  const { status, text } = await client.command(`LOGIN ${at.edge.id}@${domain} secret`)
  if (status !== 'OK') throw new Error(`LOGIN was answered ${status} ${text}`)
  await client.command('LOGOUT')
  await client.close()
  await until(`an idle connection of ${domain}`, async () => {
    const { gauges } = await edgeStatsAt(at)
    const isQuiet = gauges['upstreams_leased'] === 0 && gauges['upstreams_resetting'] === 0
    return isQuiet && connectionsOf(at, domain) === 1
  })
}
