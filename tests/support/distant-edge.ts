/** An edge `far-1` in a separate region. It can be cut off from NATS. */
import type { EdgeView } from '@imapfleet/api'
import { edgeProxy, enrollByApi, layGround, type EdgeProcess } from '@imapfleet/local'
import type { TestFleet } from './fleet.ts'
import { Relay } from './relay.ts'
import { until } from './until.ts'

export class DistantEdge {
  readonly #fleet: TestFleet
  readonly edge: EdgeProcess
  /** Between the edge and NATS. */
  readonly relay: Relay

  private constructor(fleet: TestFleet, edge: EdgeProcess, relay: Relay) {
    this.#fleet = fleet
    this.edge = edge
    this.relay = relay
  }

  /** @param reconcileMs how often the edge reads its whole desired state */
  static async start(fleet: TestFleet, { reconcileMs }: { reconcileMs: number }): Promise<DistantEdge> {
    const { directory, nats, control, token, upstream } = fleet.stack
    const ground = layGround(directory)
    const name = { id: 'far-1', region: 'far' }
    const relay = await Relay.to(Number(new URL(nats.url).port))
    const edge = await edgeProxy({
      ground,
      ...name,
      upstream,
      credentialsFile: await enrollByApi({ ground, nats, control, token }, name),
      nats: { ...nats, url: `nats://127.0.0.1:${relay.port}` },
      config: { fleet: { heartbeatMs: 200, reportIntervalMs: 250, reconcileMs } },
    })
    const distant = new DistantEdge(fleet, edge, relay)
    await edge.process.start()
    await distant.back()
    return distant
  }

  async stop(): Promise<void> {
    await this.edge.process.stop()
    this.relay.close()
  }

  /** Resolves when control misses it. */
  async away(): Promise<void> {
    await until('its silence', async () => (await this.#state()) === 'silent')
  }

  async back(): Promise<void> {
    await until('it to serve', async () => (await this.#state()) === 'serving')
  }

  async #state(): Promise<EdgeView['state']> {
    return ((await this.#fleet.api('/v1/edges/far-1')).body as EdgeView).state
  }
}
