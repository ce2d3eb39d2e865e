/**
 * The whole fleet on one machine: nats-server, Postgres and a mail server together, then control, then the edges.
 * Quickstart, tests and benchmarks use it, with different directories, edges and progress displays.
 */
import type { Layer } from '@imapfleet/config'
import { edgeListSchema } from '@imapfleet/api'
import { setTimeout as sleep } from 'node:timers/promises'
import { BringUp, type PartProgress } from './bring-up.ts'
import { controlPlane, keepToken, type ControlProcess, type ControlProcessOptions } from './control.ts'
import { dovecotServer, type Dovecot, type DovecotOptions } from './dovecot.ts'
import { edgeProxy, type EdgeProcess, type Upstream } from './edge.ts'
import { enrollByApi } from './enrolment.ts'
import { layGround } from './ground.ts'
import { stopLeftovers } from './leftover.ts'
import { LocalError } from './local-error.ts'
import { natsServer, type Nats, type NatsOptions } from './nats-server.ts'
import { postgresServer, type Postgres } from './postgres.ts'

export interface StackEdge {
  id: string
  region: string
  imapPort?: number
  httpPort?: number
  /** Overrides the configuration of every edge. */
  config?: Layer
  /** A program and its arguments that run the edge as their own process. */
  runner?: readonly string[]
}

export interface StackOptions {
  /** Data, logs and pids. Created if missing, and kept at the end. */
  directory: string
  edges: StackEdge[]
  /** Preferred ports. */
  ports?: { nats?: number; postgres?: number; dovecot?: number; api?: number }
  /** An external IMAP server; undefined: a demo Dovecot is started. */
  upstream?: Upstream | undefined
  /** External services. */
  existing?: { nats?: NatsOptions['existing']; postgres?: string | undefined }
  dovecot?: Pick<DovecotOptions, 'users' | 'settings'>
  /** Additional settings of control. */
  environment?: ControlProcessOptions['environment']
  /** Of the token of an admin, if it is made. */
  tokenName?: string
  /** False for data that need not survive a crash of the machine. */
  durable?: boolean
  /** Restarts parts that exit. */
  heal?: boolean
  onProgress?: (progress: PartProgress) => void
  signal?: AbortSignal
}

export interface Stack {
  directory: string
  nats: Nats
  postgres: Postgres
  /** Undefined with an external IMAP server. */
  dovecot: Dovecot | undefined
  control: ControlProcess
  edges: EdgeProcess[]
  upstream: Upstream
  /** The token of an admin. */
  token: string
  stop(): Promise<void>
}

/**
 * Resolves when every part is ready and control has received a heartbeat of every edge. If it rejects, nothing runs.
 */
export async function startStack(options: StackOptions): Promise<Stack> {
  const ground = layGround(options.directory)
  await stopLeftovers(`${ground.directory}/pids`)
  const bringUp = new BringUp(options.onProgress ?? (() => undefined), options.heal ?? false, options.signal)
  const { ports = {}, existing = {}, durable } = options

  const natsReady = bringUp.begin(
    'nats-server',
    'services',
    (note) => natsServer({ ground, preferredPort: ports.nats, existing: existing.nats, perEdge: true, note }),
    ({ version, url }) => ({ version, place: url.replace('nats://', '') }),
  )
  const postgresReady = bringUp.begin(
    'postgres',
    'services',
    (note) =>
      postgresServer({ ground, preferredPort: ports.postgres, existing: existing.postgres, durable, note }),
    ({ version, place }) => ({ version, place }),
  )
  const upstreamReady = options.upstream
    ? Promise.resolve({ ...options.upstream, dovecot: undefined })
    : bringUp
        .begin(
          'dovecot',
          'services',
          (note) => dovecotServer({ ground, preferredPort: ports.dovecot, note, ...options.dovecot }),
          ({ version, host, port }) => ({ version, place: `${host}:${port}` }),
        )
        .then((dovecot) => ({ host: dovecot.host, port: dovecot.port, dovecot }))
  const controlReady = Promise.all([natsReady, postgresReady]).then(async ([nats, postgres]) => {
    const { environment = {} } = options
    const prepare = () => controlPlane({ ground, nats, postgres, preferredPort: ports.api, environment })
    const control = await bringUp.begin('control', 'control', prepare, ({ api }) => ({
      version: '',
      place: api,
    }))
    return { control, token: await keepToken(control, `${ground.directory}/token`, options.tokenName) }
  })
  // After control, so that control receives the first heartbeat of each edge.
  const edgesReady = Promise.all([natsReady, upstreamReady, controlReady]).then(([nats, upstream, control]) =>
    Promise.all(
      options.edges.map((edge) =>
        bringUp.begin(
          edge.id,
          'edges',
          async () => {
            const credentialsFile = await enrollByApi({ ground, nats, ...control }, edge)
            return await edgeProxy({ ground, nats, credentialsFile, upstream, ...edge })
          },
          ({ imapPort }) => ({ version: '', place: `IMAP 127.0.0.1:${imapPort}` }),
        ),
      ),
    ),
  )

  const all = Promise.all([natsReady, postgresReady, upstreamReady, controlReady, edgesReady])
  const stop = () => bringUp.stop()
  try {
    const [nats, postgres, { dovecot, ...upstream }, { control, token }, edges] = await all
    await seeEdges(control, token, options.edges, bringUp.signal)
    return { directory: ground.directory, nats, postgres, dovecot, control, edges, upstream, token, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function seeEdges(
  control: ControlProcess,
  token: string,
  edges: StackEdge[],
  signal: AbortSignal,
): Promise<void> {
  const deadline = Date.now() + 30_000
  for (;;) {
    const answer = await fetch(`${control.api}/v1/edges`, {
      headers: { authorization: `Bearer ${token}` },
      signal,
    })
    const seen = answer.ok ? edgeListSchema.parse(await answer.json()).edges : []
    const missing = edges.filter(({ id }) => !seen.some((edge) => edge.id === id && edge.state === 'serving'))
    if (missing.length === 0) return
    const trouble = answer.ok
      ? `received no heartbeat of ${missing.map(({ id }) => id).join(', ')}`
      : `answers /v1/edges with status ${answer.status}`
    if (Date.now() > deadline)
      throw new LocalError('part_failed', `control ${trouble}: see ${control.process.logFile}`)
    await sleep(50, undefined, { signal })
  }
}
