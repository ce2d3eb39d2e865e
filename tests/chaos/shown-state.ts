/**
 * Gives revisions, revocations and orders, and compares what control says about them with what the edges themselves say,
 * all the time: an edge that control shows as `applied` has applied it.
 */
import { randomUUID } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { setTimeout as pause } from 'node:timers/promises'
import type { FleetTarget, RolloutRequest } from '@imapfleet/api'
import { newId, NoAnswerError, ProblemError, type ApiClient } from '@imapfleet/client'
import type { EdgeProcess } from '@imapfleet/local'
import { edgeStatsSchema, type EdgeStats } from '@imapfleet/protocol'
import { until } from '../support/until.ts'
import { patienceMs, victim, type ChaosFleet } from './chaos-fleet.ts'

/** A replica that hangs does not answer. */
const answerMs = 10_000
const watchEveryMs = 200

interface Order {
  id: string
  /** The edges that answered, according to control. */
  answered: string[]
  asked: string[]
}

export class ShownState {
  readonly #world: ChaosFleet
  readonly #revisions: number[] = []
  readonly #revocations: { sequence: number; subject: string }[] = []
  readonly #orders: Order[] = []
  #subjects = 0
  readonly #life = new AbortController()
  readonly #watching: Promise<void>
  /** Statements of control that are wrong. */
  readonly wrong: string[] = []
  checks = 0

  constructor(world: ChaosFleet) {
    this.#world = world
    this.#watching = this.#watch()
  }

  /** Changes a key of all edges by a rollout, and returns the revision. */
  async configure(rollout: RolloutRequest): Promise<number> {
    const idempotencyKey = newId()
    const set = { 'pool.usesMax': 1_000 + this.#revisions.length }
    const body = { layer: { kind: 'global' as const }, set, rollout }
    const { revision } = await this.#world.ask((client) =>
      client.call('writeRevision', { body, idempotencyKey, timeoutMs: answerMs }),
    )
    this.#revisions.push(revision.revision)
    return revision.revision
  }

  /** Revokes a separate user, and returns the sequence. */
  async revoke(): Promise<number> {
    const idempotencyKey = newId()
    const subject = `revoked-${++this.#subjects}`
    const { revocation } = await this.#world.ask((client) =>
      client.call('addRevocation', { body: { kind: 'user', subject }, idempotencyKey, timeoutMs: answerMs }),
    )
    this.#revocations.push({ sequence: revocation.sequence, subject })
    return revocation.sequence
  }

  /** An order that disturbs no client. Returns the edges that answered. */
  async order(target: FleetTarget = { kind: 'all' }): Promise<string[]> {
    const body = {
      id: randomUUID(),
      target,
      action: { kind: 'purge-idle' as const, user: victim.user },
      timeoutMs: 4_000,
    }
    const view = await this.#world.ask((client) => client.call('giveOrder', { body, timeoutMs: answerMs }))
    const answered = view.edges.filter(({ status }) => status === 'answered').map(({ id }) => id)
    this.#orders.push({ id: body.id, answered, asked: view.edges.map(({ id }) => id) })
    return answered
  }

  /** Repeats a separate order until these edges answer. */
  async orderUntilAnswered(edges: readonly EdgeProcess[] = this.#world.edges): Promise<void> {
    await until(
      `answers of ${edges.map(({ id }) => id).join(', ')}`,
      async () => {
        const answered = await this.order()
        return edges.every(({ id }) => answered.includes(id))
      },
      patienceMs,
    )
  }

  /** Waits until control shows the revision as applied by all edges. */
  async configured(revision: number): Promise<void> {
    await until(
      `revision ${revision} applied`,
      async () => {
        const { edges } = await this.#world.ask((client) =>
          client.call('readRevision', { params: { revision }, timeoutMs: answerMs }),
        )
        return edges.every(({ status }) => status === 'applied')
      },
      patienceMs,
    )
  }

  /** Waits until control shows all revocations as applied by all edges. */
  async revoked(): Promise<void> {
    for (const { sequence } of this.#revocations)
      await until(
        `revocation ${sequence} applied`,
        async () => {
          const { edges } = await this.#world.ask((client) =>
            client.call('readRevocation', { params: { sequence }, timeoutMs: answerMs }),
          )
          return edges.every(({ status }) => status === 'applied')
        },
        patienceMs,
      )
  }

  async stop(): Promise<void> {
    this.#life.abort()
    await this.#watching
  }

  /** What is doubled, lost or wrong at the end, in words. */
  async faults(): Promise<string[]> {
    const faults = [...this.wrong]
    const logs = await this.#logs()
    for (const { id, answered } of this.#orders)
      for (const [edge, log] of logs) {
        const times = count(log, new RegExp(`\\border\\b.*${id}`))
        if (times > 1) faults.push(`${edge} carried out order ${id} ${times} times`)
        if (times === 0 && answered.includes(edge))
          faults.push(`${edge} answered order ${id} and has not carried it out`)
      }
    for (const { subject, sequence } of this.#revocations) {
      for (const [edge, log] of logs) {
        const times = count(log, revokedLine(subject))
        if (times !== 1) faults.push(`${edge} applied revocation ${sequence} ${times} times`)
      }
      const rows = await this.#world.sql`select 1 from revocations where subject = ${subject}`
      if (rows.length !== 1) faults.push(`revocation ${sequence} is stored ${rows.length} times`)
    }
    return faults
  }

  async #watch(): Promise<void> {
    for (let turn = 0; !this.#life.signal.aborted; turn++) {
      const client = this.#world.api(turn % this.#world.replicas.length)
      try {
        await this.#check(client)
        this.checks += 1
      } catch (error) {
        if (this.#life.signal.aborted) return
        // Control hangs, or something that it needs is away. An answer that refuses the request itself is a fault.
        const isRefusal =
          error instanceof ProblemError && error.status < 500 && error.code !== 'too_many_attempts'
        const isKnown = error instanceof NoAnswerError || error instanceof ProblemError
        if (isRefusal || !isKnown) this.wrong.push(`control answered ${String(error)}`)
      }
      await pause(watchEveryMs, undefined, { signal: this.#life.signal }).catch(() => {})
    }
  }

  /** What the edges say is read after what control says, so that an edge may only be ahead. */
  async #check(client: ApiClient): Promise<void> {
    const options = { timeoutMs: answerMs, signal: this.#life.signal }
    const revision = this.#revisions.at(-1)
    if (revision !== undefined) {
      const { edges } = await client.call('readRevision', { params: { revision }, ...options })
      for (const { id, status } of edges) {
        if (status !== 'applied') continue
        const { gauges } = await readEdgeStats(this.#world.edge(id))
        if ((gauges['config_revision'] ?? 0) < revision)
          this.wrong.push(
            `control shows revision ${revision} as applied by ${id}, which has ${gauges['config_revision']}`,
          )
      }
    }
    const last = this.#revocations.at(-1)
    if (last) {
      const { sequence, subject } = last
      const { edges } = await client.call('readRevocation', { params: { sequence }, ...options })
      for (const { id, status } of edges)
        if (status === 'applied' && count(await logOf(this.#world.edge(id)), revokedLine(subject)) === 0)
          this.wrong.push(
            `control shows revocation ${sequence} as applied by ${id}, which has not applied it`,
          )
    }
  }

  async #logs(): Promise<Map<string, string>> {
    return new Map(
      await Promise.all(this.#world.edges.map(async (edge) => [edge.id, await logOf(edge)] as const)),
    )
  }
}

export async function readEdgeStats({ httpPort }: EdgeProcess): Promise<EdgeStats> {
  return edgeStatsSchema.parse(await (await fetch(`http://127.0.0.1:${httpPort}/stats`)).json())
}

const logOf = async ({ process }: EdgeProcess) => await readFile(process.logFile, 'utf8')
const revokedLine = (subject: string) => new RegExp(`\\brevoked\\b.*${subject}\\b`)
const count = (log: string, line: RegExp) => log.split('\n').filter((each) => line.test(each)).length
