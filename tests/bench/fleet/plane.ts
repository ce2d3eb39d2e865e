/** What is measured: real nats-server and Postgres, and control as two processes, so that each can be told apart. */
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  controlPlane,
  layGround,
  natsServer,
  postgresServer,
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

export async function startPlane(): Promise<BenchPlane> {
  const directory = await mkdtemp(join(tmpdir(), 'imapfleet-bench-'))
  await chmod(directory, 0o755)
  const ground = layGround(directory)
  const [nats, database] = await Promise.all([natsServer({ ground }), postgresServer({ ground })])
  const stops: (() => Promise<unknown>)[] = [() => rm(directory, { recursive: true, force: true })]
  const stop = async () => {
    for (const each of stops.toReversed()) await each()
  }
  try {
    for (const part of [nats, database]) {
      stops.push(async () => await part.process?.stop())
      await part.process?.start()
    }
    const parts = { ground, nats, postgres: database }
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

/** The whole answer; anything but success ends the benchmark. */
async function answerOf(url: string, token: string, body: unknown): Promise<unknown> {
  const answer = await fetch(url, {
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
  const text = await answer.text()
  if (!answer.ok) throw new BenchError(`${new URL(url).pathname} was answered ${answer.status}: ${text}`)
  return JSON.parse(text)
}
