/**
 * A fleet of real processes that a scenario damages: replicas of control, edges, and Dovecot, with the NATS and the Postgres
 * of the scenario.
 */
import { setTimeout as pause } from 'node:timers/promises'
import {
  controlPlane,
  dovecotServer,
  edgeProxy,
  enrollByApi,
  layGround,
  removeTemporaryDirectory,
  temporaryDirectory,
  type ControlProcess,
  type Dovecot,
  type EdgeProcess,
  type Ground,
  type Nats,
  type Postgres,
} from '@imapfleet/local'
import { createClient, type ApiClient } from '@imapfleet/client'
import postgres from 'postgres'
import { until } from '../support/until.ts'
import { trafficUsers } from './client-traffic.ts'

export interface EdgeName {
  id: string
  region: string
  /** Where it finds NATS; where the others find it if left out. */
  natsUrl?: string
}

export interface WorldOptions {
  ground: Ground
  nats: Nats
  postgres: Postgres
  replicas: number
  edges: readonly EdgeName[]
  /** Additional settings of control. */
  environment?: Record<string, string>
  heartbeatMs: number
}

/** Waits are polled, so that a bound this large costs time only if something is broken. */
export const patienceMs = 120_000

export const chaosGround = (): Ground => layGround(temporaryDirectory('chaos'))

export class ChaosFleet {
  readonly ground: Ground
  readonly nats: Nats
  readonly replicas: readonly ControlProcess[]
  readonly edges: readonly EdgeProcess[]
  readonly dovecot: Dovecot
  readonly token: string
  /** Direct access to the database. */
  readonly sql: postgres.Sql
  /** The replica that answered last. */
  #turn = 0

  private constructor(
    parts: Pick<ChaosFleet, 'ground' | 'nats' | 'replicas' | 'edges' | 'dovecot' | 'token' | 'sql'>,
  ) {
    this.ground = parts.ground
    this.nats = parts.nats
    this.replicas = parts.replicas
    this.edges = parts.edges
    this.dovecot = parts.dovecot
    this.token = parts.token
    this.sql = parts.sql
  }

  /** NATS and Postgres must run. */
  static async start(options: WorldOptions): Promise<ChaosFleet> {
    const { ground, nats, environment = {}, heartbeatMs } = options
    const dovecot = await dovecotServer({
      ground,
      users: [...trafficUsers(options.edges), witness, victim],
      settings: 'mail_max_userip_connections = 0\n',
    })
    const replicas: ControlProcess[] = []
    const edges: EdgeProcess[] = []
    for (let number = 1; number <= options.replicas; number++) {
      const home = layGround(`${ground.directory}/replica-${number}`)
      replicas.push(await controlPlane({ ground: home, nats, postgres: options.postgres, environment }))
    }
    await Promise.all([dovecot.process.start(), ...replicas.map(({ process }) => process.start())])
    const token = await replicas[0]!.createToken('chaos', 'admin')
    const sql = postgres(options.postgres.url, {
      max: 2,
      fetch_types: false,
      onnotice: () => {},
      backoff: () => 0.2,
    })
    const world = new ChaosFleet({ ground, nats, replicas, edges, dovecot, token, sql })
    for (const { id, region, natsUrl = nats.url } of options.edges) {
      const credentialsFile = await enrollByApi(
        { ground, nats, control: replicas[0]!, token },
        { id, region },
      )
      const edge = await edgeProxy({
        ground,
        id,
        region,
        upstream: { host: dovecot.host, port: dovecot.port },
        nats: { url: natsUrl, tokenFile: nats.tokenFile },
        credentialsFile,
        config: {
          // Every connection that the server sees has a cause in the scenario.
          upstreams: { main: { healthIntervalMs: 0 } },
          fleet: { heartbeatMs, reportIntervalMs: 250, reconcileMs: 1_000 },
        },
      })
      edges.push(edge)
    }
    await Promise.all(edges.map(({ process }) => process.start()))
    await until(
      'all edges',
      async () => {
        const { edges: seen } = await world.api(0).call('listEdges')
        return seen.filter(({ state }) => state === 'serving').length === edges.length
      },
      patienceMs,
    )
    return world
  }

  /** The API of one replica. */
  api(replica: number): ApiClient {
    return createClient({ server: new URL(this.replicas[replica]!.api), token: this.token })
  }

  /**
   * Tries one replica after the other until one answers, as a load balancer does. A write needs a key, so that it is
   * carried out once.
   */
  async ask<T>(request: (client: ApiClient) => Promise<T>): Promise<T> {
    const troubles = new Map<number, string>()
    return await until(
      'an answer of control',
      async () => {
        const replica = this.#turn % this.replicas.length
        try {
          return await request(this.api(replica))
        } catch (error) {
          this.#turn += 1
          troubles.set(
            replica,
            `replica ${replica + 1}: ${error instanceof Error ? error.message : String(error)}`,
          )
          throw new Error([...troubles.values()].join('; '), { cause: error })
        }
      },
      patienceMs,
    )
  }

  /** The replica that the next request goes to. */
  turnTo(replica: number): void {
    this.#turn = replica
  }

  edge(id: string): EdgeProcess {
    const edge = this.edges.find((each) => each.id === id)
    if (!edge) throw new Error(`there is no edge ${id}`)
    return edge
  }

  /** The processes must be able to stop: a stopped one gets SIGCONT. */
  async stop(): Promise<void> {
    await this.sql.end({ timeout: 1 })
    const processes = [...this.edges, ...this.replicas].map(({ process }) => process)
    for (const process of processes) process.send('SIGCONT')
    await Promise.all(processes.map(async (process) => await process.stop()))
    await this.dovecot.process.stop()
  }

  /** Removes all files, when everything on this ground has stopped. */
  async remove(): Promise<void> {
    await removeTemporaryDirectory(this.ground.directory)
  }
}

/** Logs in last at the mail server, to see that its log holds every earlier login. */
export const witness = { user: 'witness', password: 'witness', mailbox: 'small' as const }
/** The user whom revocations and orders concern. No client logs in as this user during the faults. */
export const victim = { user: 'victim', password: 'victim', mailbox: 'small' as const }

/** Lets a fault last. */
export const last = async (ms: number): Promise<void> => await pause(ms)
