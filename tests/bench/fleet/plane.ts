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
import postgres from 'postgres'
import { connectNats } from '../../support/simulated-edge.ts'
import { BenchError } from '../problem.ts'

export interface BenchPlane {
  nats: Nats
  postgres: Postgres
  api: ControlProcess
  ingest: ControlProcess
  sql: postgres.Sql
  streams: JetStreamManager
  ask: (path: string, body?: unknown) => Promise<unknown>
  stop: () => Promise<void>
}

export interface BenchPlaneOptions {
  /** Directory of the data; a temporary one by default. */
  directory?: string
  /** More settings of control. */
  environment?: Record<string, string>
}

export async function startPlane({
  directory = temporaryDirectory('bench'),
  environment = {},
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
    const [api, ingest] = [
      await controlPlane({ ...parts, mode: 'api' }),
      await controlPlane({ ...parts, mode: 'ingest' }),
    ]
    for (const part of [api, ingest]) {
      stops.push(() => part.process.stop())
      await part.process.start()
    }
    const token = await api.createToken('benchmark', 'admin')
    const sql = postgres(database.url, { max: 1, onnotice: () => {} })
    stops.push(() => sql.end({ timeout: 1 }))
    const connection = await connectNats(nats)
    stops.push(() => connection.close())
    const streams = await jetstreamManager(connection)
    const ask = (path: string, body?: unknown) => answerOf(`${api.api}${path}`, token, body)
    return { nats, postgres: database, api, ingest, sql, streams, ask, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

/** The body of the response. An error status ends the benchmark. */
async function answerOf(url: string, token: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new BenchError(`${new URL(url).pathname} was answered ${answer.status}: ${text}`)
  return JSON.parse(text)
}
