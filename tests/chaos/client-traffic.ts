/**
 * Mail clients at all edges: short sessions one after the other, and one session for each edge that stays open. Every login
 * is counted, and everything that disturbs a client is noted.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { EdgeProcess, MailUser } from '@imapfleet/local'
import { WireClient } from '../conformance/wire.ts'

const patienceMs = 60_000
const thinkMs = 100

/** A user for the short sessions and one for the long session of each edge. */
export const trafficUsers = (edges: readonly { id: string }[]) =>
  edges.flatMap(({ id }) =>
    [`short-${id}`, `long-${id}`].map((user) => ({ user, password: user, mailbox: 'small' as const })),
  )

export class ClientTraffic {
  /** Successful logins, by edge and by user. */
  readonly logins = new Map<string, number>()
  readonly disturbances: string[] = []
  readonly #life = new AbortController()
  readonly #over = Promise.withResolvers<void>()
  readonly #avoided = new Map<string, Promise<void>>()
  readonly #busy = new Map<string, Promise<void>>()
  readonly #loops: Promise<void>[] = []
  #clients = 0

  constructor(edges: readonly EdgeProcess[]) {
    for (const edge of edges) {
      const [short, long] = trafficUsers([edge])
      this.#loops.push(this.#keep(edge, long!), this.#comeAndGo(edge, short!))
    }
  }

  loginsAt(edge: string): number {
    return this.logins.get(edge) ?? 0
  }

  loginsOf(user: string): number {
    return this.logins.get(user) ?? 0
  }

  /** No short sessions at this edge until the returned function is called. Resolves after the last one. */
  async avoid(edge: string): Promise<() => void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.#avoided.set(edge, promise)
    await this.#busy.get(edge)
    return () => {
      this.#avoided.delete(edge)
      resolve()
    }
  }

  /** Ends all sessions by LOGOUT. */
  async stop(): Promise<void> {
    this.#avoided.clear()
    this.#life.abort()
    this.#over.resolve()
    await Promise.all(this.#loops)
  }

  async #keep(edge: EdgeProcess, user: MailUser): Promise<void> {
    await this.#note(edge, async () => {
      const client = await this.#login(edge, user)
      while (!this.#life.signal.aborted) {
        await expectOk(client, 'NOOP')
        await this.#think()
      }
      await expectOk(client, 'LOGOUT')
    })
  }

  async #comeAndGo(edge: EdgeProcess, user: MailUser): Promise<void> {
    while (!this.#life.signal.aborted) {
      for (let avoided = this.#avoided.get(edge.id); avoided; avoided = this.#avoided.get(edge.id))
        await Promise.race([avoided, this.#over.promise])
      if (this.#life.signal.aborted) return
      const session = this.#note(edge, async () => {
        const client = await this.#login(edge, user)
        await expectOk(client, 'UID FETCH 1:* (FLAGS)')
        await expectOk(client, 'LOGOUT')
        await client.rest()
      })
      this.#busy.set(edge.id, session)
      await session
      await this.#think()
    }
  }

  async #login(edge: EdgeProcess, { user, password }: MailUser): Promise<WireClient> {
    this.#clients += 1
    const client = await WireClient.open(edge.imapPort, `c${this.#clients}x`, patienceMs)
    await client.response('a greeting')
    await expectOk(client, `LOGIN ${user} ${password}`)
    for (const name of [edge.id, user]) this.logins.set(name, (this.logins.get(name) ?? 0) + 1)
    await expectOk(client, 'SELECT INBOX')
    return client
  }

  async #note(edge: EdgeProcess, work: () => Promise<void>): Promise<void> {
    try {
      await work()
    } catch (error) {
      this.disturbances.push(
        `a client of ${edge.id}: ${error instanceof Error ? error.message : String(error)}`,
      )
      await this.#think()
    }
  }

  async #think(): Promise<void> {
    await pause(thinkMs * (0.5 + Math.random()), undefined, { signal: this.#life.signal }).catch(() => {})
  }
}

async function expectOk(client: WireClient, command: string): Promise<void> {
  const { status, text } = await client.command(command)
  if (status !== 'OK') throw new Error(`${command} was answered ${status} ${text}`)
}
