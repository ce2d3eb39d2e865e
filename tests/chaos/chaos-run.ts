/**
 * The fleet that the scenarios damage: a NATS cluster of three, Postgres with a standby, three replicas of control, edges in
 * two regions, and one region behind a leaf node. Clients use all edges from the start to the end.
 */
import assert from 'node:assert/strict'
import { freePort, postgresServer, type LocalProcess, type Postgres } from '@imapfleet/local'
import { leafNode } from '../support/leaf-node.ts'
import { Relay } from '../support/relay.ts'
import { ShownState } from './shown-state.ts'
import { settle } from './ledger.ts'
import { LiveViews } from './live-views.ts'
import { NatsCluster } from './nats-cluster.ts'
import { findPostgresPrograms, PostgresPair } from './postgres-pair.ts'
import { ClientTraffic } from './client-traffic.ts'
import { chaosGround, ChaosFleet } from './chaos-fleet.ts'

/** How long and how loudly the faults of a scenario take place. */
export interface FaultOptions {
  /** How long a fault lasts that ends by time. */
  faultMs: number
  /** Gets what happens, in a few words. */
  say: (text: string) => void
}

export class ChaosRun {
  readonly world: ChaosFleet
  readonly cluster: NatsCluster
  /** Undefined if this machine has no programs for a standby. */
  readonly pair: PostgresPair | undefined
  readonly claims: ShownState
  readonly views: LiveViews
  readonly traffic: ClientTraffic
  /** The connections of the leaf node to the cluster. */
  readonly #uplinks: readonly Relay[]
  readonly #leaf: LocalProcess
  readonly #database: Postgres | PostgresPair
  #isOver = false

  private constructor(
    parts: Pick<ChaosRun, 'world' | 'cluster' | 'pair'>,
    rest: { uplinks: readonly Relay[]; leaf: LocalProcess; database: Postgres | PostgresPair },
  ) {
    this.world = parts.world
    this.cluster = parts.cluster
    this.pair = parts.pair
    this.#uplinks = rest.uplinks
    this.#leaf = rest.leaf
    this.#database = rest.database
    this.traffic = new ClientTraffic(this.world.edges)
    this.views = new LiveViews(this.world)
    this.claims = new ShownState(this.world)
  }

  static async start(): Promise<ChaosRun> {
    const ground = chaosGround()
    const programs = findPostgresPrograms()
    const [cluster, database] = await Promise.all([
      NatsCluster.start(ground),
      programs === undefined ? startSingle(ground) : PostgresPair.start(ground, programs),
    ])
    const { nats } = cluster
    const uplinks = await Promise.all(cluster.leafPorts.map(async (port) => await Relay.to(port)))
    const leafPort = await freePort()
    const hubs = uplinks.map(({ port }) => `nats-leaf://127.0.0.1:${port}`)
    const leaf = await leafNode({ ground, nats }, { port: leafPort, region: 'far', hubs })
    await leaf.start()
    const pair = database instanceof PostgresPair ? database : undefined
    const world = await ChaosFleet.start({
      ground,
      nats,
      postgres: database instanceof PostgresPair ? database.both : database,
      replicas: 3,
      edges: [
        { id: 'eu-1', region: 'eu' },
        { id: 'us-1', region: 'us' },
        { id: 'far-1', region: 'far', natsUrl: `nats://127.0.0.1:${leafPort}` },
      ],
      environment: { NATS_REPLICAS: '3' },
      heartbeatMs: 2_000,
    })
    const stage = new ChaosRun({ world, cluster, pair }, { uplinks, leaf, database })
    await stage.views.current([0, 1, 2])
    return stage
  }

  /** Cuts the leaf node off from the cluster. */
  cutLeaf(): void {
    for (const uplink of this.#uplinks) uplink.cut()
  }

  healLeaf(): void {
    for (const uplink of this.#uplinks) uplink.heal()
  }

  /** Ends the traffic, and compares what the clients did with everything that the fleet shows and stores. */
  async compare(): Promise<void> {
    await this.#end()
    await settle(this.world, this.traffic)
    assert.deepEqual(await this.claims.faults(), [])
    assert.deepEqual(this.views.failures, [])
    assert.ok(this.claims.checks > 0)
  }

  /** `keep`: leaves the logs and data. */
  async stop({ keep = false } = {}): Promise<void> {
    await this.#end()
    await this.world.stop()
    await this.#leaf.stop()
    for (const uplink of this.#uplinks) uplink.close()
    await this.cluster.stop()
    if (this.#database instanceof PostgresPair) await this.#database.stop()
    else await this.#database.process?.stop()
    if (!keep) await this.world.remove()
  }

  async #end(): Promise<void> {
    if (this.#isOver) return
    this.#isOver = true
    await Promise.all([this.traffic.stop(), this.claims.stop(), this.views.stop()])
  }
}

async function startSingle(ground: ChaosRun['world']['ground']): Promise<Postgres> {
  const server = await postgresServer({ ground, durable: false })
  await server.process?.start()
  return server
}
