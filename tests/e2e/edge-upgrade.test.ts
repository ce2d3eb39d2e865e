/**
 * An edge that is replaced by a second process of itself while it serves mail, in front of a real Dovecot: no login fails
 * and no session ends, neither then nor if the second process cannot start.
 */
import assert from 'node:assert/strict'
import { readFile, writeFile } from 'node:fs/promises'
import { after, before, suite, test } from 'node:test'
import type { EdgeView, OrderView } from '@imapfleet/api'
import type { EdgeProcess, MailUser } from '@imapfleet/local'
import type { WireClient } from '../conformance/wire.ts'
import { processExists } from '../support/process-exists.ts'
import { TestFleet } from '../support/fleet.ts'
import { until } from '../support/until.ts'

/** Sessions of webmail, several at a time, one after the other, until it is stopped. */
class PageViews {
  readonly failures: string[] = []
  count = 0
  readonly #workers: Promise<void>[]
  #isOver = false

  constructor(fleet: TestFleet, edge: EdgeProcess, users: readonly MailUser[]) {
    this.#workers = users.map(async (user) => {
      while (!this.#isOver)
        try {
          await fleet.session(edge, user)
          this.count += 1
        } catch (error) {
          this.failures.push(String(error))
        }
    })
  }

  /** Resolves after this many more sessions. */
  async more(sessions: number): Promise<void> {
    const wanted = this.count + sessions
    await until(`${sessions} more sessions`, () => this.count >= wanted || this.failures.length > 0)
  }

  async stop(): Promise<void> {
    this.#isOver = true
    await Promise.all(this.#workers)
  }
}

suite('an edge that is upgraded under load', () => {
  let fleet: TestFleet
  /** Processes that took over. They are not children of this test. */
  const successors: number[] = []
  before(async () => (fleet = await TestFleet.start()))
  after(async () => {
    for (const pid of successors) if (processExists(pid)) process.kill(pid, 'SIGKILL')
    await fleet?.stop()
  })

  const log = (edge: EdgeProcess) => readFile(edge.process.logFile, 'utf8')
  /** Signals this process, and resolves with the pid of the process that took over. */
  const upgrade = async (edge: EdgeProcess, pid: number): Promise<number> => {
    const since = (await log(edge)).length
    process.kill(pid, 'SIGUSR2')
    const line = await until('the handover', async () => {
      const text = (await log(edge)).slice(since)
      return /handed_over pid=(\d+)/.exec(text) ?? undefined
    })
    const successor = Number(line[1])
    successors.push(successor)
    return successor
  }
  const viewOf = async ({ id }: EdgeProcess): Promise<EdgeView> => {
    const { body } = await fleet.api(`/v1/edges/${id}`)
    return body as EdgeView
  }
  const entered = async (edge: EdgeProcess, { user, password }: MailUser): Promise<WireClient> => {
    const client = await fleet.client(edge)
    assert.equal((await client.command(`LOGIN ${user} ${password}`)).status, 'OK')
    assert.equal((await client.command('SELECT INBOX')).status, 'OK')
    return client
  }

  test('twice, no login fails and no session ends, and the fleet sees one process at a time', async () => {
    const edge = fleet.eu
    const { alice, bob, carol } = fleet
    const started = await viewOf(edge)
    const held = await Promise.all([alice, bob, carol].map((user) => entered(edge, user)))
    const idling = await entered(edge, alice)
    const done = idling.tag()
    idling.send(`${done} IDLE\r\n`)
    const early = await fleet.client(edge)
    const views = new PageViews(fleet, edge, [alice, alice, alice, bob, bob, bob])
    await views.more(30)

    const first = edge.process.pid!
    const second = await upgrade(edge, first)
    await views.more(30)
    const third = await upgrade(edge, second)
    await views.more(30)
    await until('the end of the second process, which has no session left', () => !processExists(second))
    assert.deepEqual([first, third].map(processExists), [true, true])

    // A client that connected before and logs in now.
    assert.equal((await early.command(`LOGIN ${bob.user} ${bob.password}`)).status, 'OK')
    for (const client of [...held, early]) assert.equal((await client.command('NOOP')).status, 'OK')
    idling.send('DONE\r\n')
    assert.equal((await idling.reply(done)).status, 'OK')

    const present = await until('the new process in the fleet', async () => {
      const view = await viewOf(edge)
      return view.state === 'serving' && view.boot !== started.boot && view
    })
    assert.deepEqual(present.problems, [])

    // An order reaches the sessions of the old process, and is answered by the new one alone.
    const { body } = await fleet.api('/v1/orders', {
      method: 'POST',
      body: { target: { kind: 'edge', name: edge.id }, action: { kind: 'kick-user', user: carol.user } },
    })
    const answered = (body as OrderView).edges.map(({ status }) => status)
    assert.deepEqual(answered, ['answered'])
    assert.match(await held[2]!.rest(), /BYE/)

    await views.stop()
    assert.deepEqual(views.failures, [])
    for (const client of [held[0]!, held[1]!, early, idling])
      assert.equal((await client.command('LOGOUT')).status, 'OK')
    assert.deepEqual(await edge.process.exited(), { code: 0, signal: null })
    assert.deepEqual((await viewOf(edge)).problems, [])
    assert.equal((await fetch(`http://127.0.0.1:${edge.httpPort}/readyz`)).status, 200)
  })

  test('a process that cannot start changes nothing', async () => {
    const edge = fleet.us
    const session = await entered(edge, fleet.alice)
    const right = await readFile(edge.configFile, 'utf8')
    await writeFile(edge.configFile, '{ "nonsense": 1 }')
    process.kill(edge.process.pid!, 'SIGUSR2')
    await until('the failure', async () => /handover_failed .*status 2/.test(await log(edge)))
    await writeFile(edge.configFile, right)
    assert.equal((await session.command('NOOP')).status, 'OK')
    await fleet.session(edge, fleet.bob)
    assert.equal((await viewOf(edge)).state, 'serving')

    const successor = await upgrade(edge, edge.process.pid!)
    assert.ok(processExists(successor))
    assert.equal((await session.command('LOGOUT')).status, 'OK')
    assert.deepEqual(await edge.process.exited(), { code: 0, signal: null })
  })
})
