/**
 * A NATS cluster of three servers with JetStream. The routes between them go through relays, so that one server can be cut
 * off from the others.
 */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { jetstreamManager } from '@nats-io/jetstream'
import { freePort, natsServer, type Ground, type LocalProcess, type Nats } from '@imapfleet/local'
import { Relay } from '../support/relay.ts'
import { connectNats } from '../support/simulated-edge.ts'

const size = 3
const indexes = Array.from({ length: size }, (_, index) => index)
/** Servers tell each other and leaf nodes this address. Nothing listens there, so that they use relays only. */
const nowhere = '127.0.0.1:9'

const nameOf = (index: number) => `nats-${index + 1}`

interface Route {
  ends: readonly [number, number]
  relay: Relay
}

export class NatsCluster {
  /** For control and edges. The process is undefined. */
  readonly nats: Nats
  readonly servers: readonly LocalProcess[]
  /** Where each server accepts leaf nodes. */
  readonly leafPorts: readonly number[]
  readonly #ground: Ground
  readonly #routes: readonly Route[]

  private constructor(
    parts: Pick<NatsCluster, 'nats' | 'servers' | 'leafPorts'>,
    ground: Ground,
    routes: Route[],
  ) {
    this.nats = parts.nats
    this.servers = parts.servers
    this.leafPorts = parts.leafPorts
    this.#ground = ground
    this.#routes = routes
  }

  static async start(ground: Ground): Promise<NatsCluster> {
    const routePorts = await Promise.all(indexes.map(async () => await freePort()))
    const leafPorts = await Promise.all(indexes.map(async () => await freePort()))
    const routes: Route[] = []
    const servers: Nats[] = []
    for (const index of indexes) {
      const own: Route[] = []
      for (const other of indexes.filter((each) => each !== index))
        own.push({ ends: [index, other], relay: await Relay.to(routePorts[other]!) })
      routes.push(...own)
      const urls = own.map(({ relay }) => `"nats://127.0.0.1:${relay.port}"`).join(', ')
      const settings = [
        `server_name: ${nameOf(index)}`,
        `leafnodes { listen: "127.0.0.1:${leafPorts[index]}", advertise: "${nowhere}" }`,
        `cluster { name: chaos, listen: "127.0.0.1:${routePorts[index]}", advertise: "${nowhere}", routes: [${urls}] }`,
      ]
      servers.push(await natsServer({ ground, perEdge: true, name: nameOf(index), settings }))
    }
    const processes = servers.flatMap(({ process }) => (process ? [process] : []))
    await Promise.all(processes.map(async (process) => await process.start()))
    const nats: Nats = { ...servers[0]!, url: servers.map(({ url }) => url).join(','), process: undefined }
    return new NatsCluster({ nats, servers: processes, leafPorts }, ground, routes)
  }

  /** The index of the server that leads this stream. */
  async leaderOf(stream: string): Promise<number> {
    const connection = await connectNats(this.nats, { credentialsFile: this.nats.keys?.credentialsFile })
    try {
      const { cluster } = await (await jetstreamManager(connection, { checkAPI: false })).streams.info(stream)
      const index = indexes.findIndex((each) => nameOf(each) === cluster?.leader)
      if (index < 0) throw new Error(`${stream} has no leader`)
      return index
    } finally {
      await connection.close()
    }
  }

  /** Whether all three servers have a current copy of each of these streams. */
  async isWhole(streams: readonly string[]): Promise<boolean> {
    const connection = await connectNats(this.nats, { credentialsFile: this.nats.keys?.credentialsFile })
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false })
      for (const stream of streams) {
        const { cluster } = await manager.streams.info(stream)
        if (cluster?.leader === undefined || cluster.replicas?.length !== size - 1) return false
        if (!cluster.replicas.every(({ current, offline }) => current && !offline)) return false
      }
      return true
    } finally {
      await connection.close()
    }
  }

  /** Cuts the routes of one server. Its clients stay connected to it. */
  cutOff(index: number): void {
    for (const { ends, relay } of this.#routes) if (ends.includes(index)) relay.cut()
  }

  heal(): void {
    for (const { relay } of this.#routes) relay.heal()
  }

  /** Removes the streams of a server that does not run. */
  async loseStore(index: number): Promise<void> {
    await rm(join(this.#ground.directory, 'nats', nameOf(index), 'jetstream'), { recursive: true })
  }

  async stop(): Promise<void> {
    for (const server of this.servers) server.send('SIGCONT')
    await Promise.all(this.servers.map(async (server) => await server.stop()))
    for (const { relay } of this.#routes) relay.close()
  }
}
