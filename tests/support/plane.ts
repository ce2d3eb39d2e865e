/** A control plane on real NATS and Postgres. Edges are simulated, so that a test decides what they send. */
import { join } from 'node:path'
import {
  controlPlane,
  copyPreparedDatabase,
  enrollByApi,
  keepToken,
  layGround,
  natsServer,
  postgresServer,
  preparedTokenName,
  removeTemporaryDirectory,
  temporaryDirectory,
  type ControlProcess,
  type ControlProcessOptions,
  type Ground,
  type Nats,
  type Postgres,
} from '@imapfleet/local'
import type { NatsConnection } from '@nats-io/transport-node'
import postgres from 'postgres'
import type { HttpAnswer } from './fleet.ts'
import { connectNats, SimulatedEdge } from './simulated-edge.ts'
import { until } from './until.ts'

export class Plane {
  readonly ground: Ground
  readonly nats: Nats
  readonly postgres: Postgres
  readonly control: ControlProcess
  readonly token: string
  /** Direct access to the database. */
  readonly sql: postgres.Sql
  readonly #connections: NatsConnection[] = []
  readonly #replicas: ControlProcess[] = []

  private constructor(parts: Pick<Plane, 'ground' | 'nats' | 'postgres' | 'control' | 'token' | 'sql'>) {
    this.ground = parts.ground
    this.nats = parts.nats
    this.postgres = parts.postgres
    this.control = parts.control
    this.token = parts.token
    this.sql = parts.sql
  }

  /**
   * `durable`: for tests that kill Postgres and check what it committed. `perEdge`: a credential for each edge instead of
   * a shared token. `natsSettings`: more lines for the configuration of nats-server. `environment`: more settings of control, which may
   * depend on its address.
   */
  static async start({
    durable = false,
    perEdge = false,
    natsSettings = [],
    environment = {},
  }: {
    durable?: boolean
    perEdge?: boolean
    natsSettings?: string[]
    environment?: ControlProcessOptions['environment']
  } = {}): Promise<Plane> {
    const ground = layGround(temporaryDirectory('plane'))
    await copyPreparedDatabase(ground)
    const [nats, database] = await Promise.all([
      natsServer({ ground, perEdge, settings: natsSettings }),
      postgresServer({ ground, durable }),
    ])
    await Promise.all([nats.process?.start(), database.process?.start()])
    const control = await controlPlane({ ground, nats, postgres: database, environment })
    // Without a query for types, whose failure would end this process (porsager/postgres#1192).
    const options = { max: 2, fetch_types: false, onnotice: () => {}, backoff: () => 0.1 }
    const sql = postgres(database.url, options)
    const [before] = await sql<{ now: Date }[]>`select now()`
    await control.process.start()
    // It is ready for requests before. A heartbeat that is sent once would be lost.
    await until('control to hear edges', async () => {
      const heard = await sql`select from hearing where until > ${before!.now}`
      return heard.length > 0
    })
    const token = await keepToken(control, `${ground.directory}/token`, preparedTokenName)
    return new Plane({ ground, nats, postgres: database, control, token, sql })
  }

  /** Starts another replica of control on the same Postgres and NATS. */
  async replica(environment: Record<string, string> = {}): Promise<ControlProcess> {
    const ground = layGround(join(this.ground.directory, `replica-${this.#replicas.length + 2}`))
    const control = await controlPlane({ ground, nats: this.nats, postgres: this.postgres, environment })
    this.#replicas.push(control)
    await control.process.start()
    return control
  }

  async edge(region: string, id: string): Promise<SimulatedEdge> {
    const credentialsFile = await this.enroll(region, id)
    const address = { region, edge: id }
    const connection = await connectNats(this.nats, { address, credentialsFile })
    this.#connections.push(connection)
    return new SimulatedEdge(connection, region, id)
  }

  /** The credentials file of this edge; undefined if all edges share a token. */
  enroll(region: string, id: string): Promise<string | undefined> {
    return enrollByApi(this, { id, region })
  }

  async api(
    path: string,
    options: {
      method?: string
      body?: unknown
      token?: string
      of?: Pick<ControlProcess, 'api'> & Partial<Pick<ControlProcess, 'process'>>
    } = {},
  ): Promise<HttpAnswer> {
    const { method = options.body === undefined ? 'GET' : 'POST', body } = options
    const { token = this.token, of: control = this.control } = options
    const answer = await fetch(`${control.api}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    }).catch((error: unknown) => {
      const { process } = control
      throw process && process.pid === undefined ? process.ending() : error
    })
    return { status: answer.status, body: await answer.json() }
  }

  /**
   * Resolves when control, if it runs, answers requests again. Retries after a kill, because the children of Postgres hold its
   * shared memory a little longer.
   */
  async startPostgres(): Promise<void> {
    await until('Postgres', async () => {
      await this.postgres.process?.start()
      return true
    })
    if (this.control.process.pid === undefined) return
    await until('control to reach Postgres', async () => (await this.api('/v1/tokens')).status === 200)
  }

  async stop(): Promise<void> {
    await Promise.all(this.#connections.map(async (connection) => await connection.close()))
    await this.sql.end({ timeout: 1 })
    await Promise.all([this.control, ...this.#replicas].map(async (control) => await control.process.stop()))
    await Promise.all([this.nats.process?.stop(), this.postgres.process?.stop()])
    await removeTemporaryDirectory(this.ground.directory)
  }
}
