/** The measured parts: real nats-server and Postgres, and control as two processes, so that each is measured alone. */
import {
  controlPlane,
  layGround,
  natsServer,
  postgresServer,
  temporaryDirectory,
  type ControlProcess,
  type Nats,
  type Postgres,
} from '@imapfleet/local'
import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream'
import type { NatsConnection } from '@nats-io/transport-node'
import postgres from 'postgres'
import { connectNats } from '../../support/simulated-edge.ts'
import { BenchError } from '../problem.ts'

export interface BenchPlane {
  nats: Nats
  postgres: Postgres
  api: ControlProcess
  ingest: ControlProcess
  sql: postgres.Sql
  /** The connection of the benchmark itself. */
  connection: NatsConnection
  streams: JetStreamManager
  ask: (path: string, body?: unknown) => Promise<unknown>
  /** The text of an answer. */
  read: (path: string) => Promise<string>
  /** A streamed answer. */
  open: (path: string, signal: AbortSignal) => Promise<ReadableStream<Uint8Array<ArrayBuffer>>>
  stop: () => Promise<void>
}

export interface BenchPlaneOptions {
  /** Directory of the data; a temporary one by default. */
  directory?: string
  /** More settings of control. */
  environment?: Record<string, string>
  /** Control as one process. `api` and `ingest` are then the same. */
  isOneProcess?: boolean
}

export async function startPlane({
  directory = temporaryDirectory('bench'),
  environment = {},
  isOneProcess = false,
}: BenchPlaneOptions = {}): Promise<BenchPlane> {
  const ground = layGround(directory)
  const [nats, database] = await Promise.all([natsServer({ ground }), postgresServer({ ground })])
  const stops: (() => Promise<unknown>)[] = []
  const stop = async () => {
    for (const each of stops.toReversed()) await each()
  }
  try {
    for (const part of [nats, database]) {
      stops.push(async () => await part.process?.stop())
      await part.process?.start()
    }
    const parts = { ground, nats, postgres: database, environment }
    const api = await controlPlane({ ...parts, mode: isOneProcess ? 'all' : 'api' })
    const ingest = isOneProcess ? api : await controlPlane({ ...parts, mode: 'ingest' })
    for (const part of new Set([api, ingest])) {
      stops.push(() => part.process.stop())
      await part.process.start()
    }
    const token = await api.createToken('benchmark', 'admin')
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    stops.push(() => sql.end({ timeout: 1 }))
    const connection = await connectNats(nats)
    stops.push(() => connection.close())
    const streams = await jetstreamManager(connection)
    const ask = async (path: string, body?: unknown) =>
      JSON.parse(await (await request(`${api.api}${path}`, token, { body })).text()) as unknown
    const read = async (path: string) => await (await request(`${api.api}${path}`, token)).text()
    const open = async (path: string, signal: AbortSignal) => {
      const { body } = await request(`${api.api}${path}`, token, { signal })
      if (!body) throw new BenchError(`${path} was answered without a body`)
      return body
    }
    return { nats, postgres: database, api, ingest, sql, connection, streams, ask, read, open, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** An error status ends the benchmark. */
async function request(
  url: string,
  token: string,
  { body, signal }: { body?: unknown; signal?: AbortSignal } = {},
): Promise<Response> {
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
    ...(signal && { signal }),
  })
  if (!answer.ok)
    throw new BenchError(`${new URL(url).pathname} was answered ${answer.status}: ${await answer.text()}`)
  return answer
}
