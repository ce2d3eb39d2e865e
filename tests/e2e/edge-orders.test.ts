/** A real edge and a real nats-server, without control: orders, desired state and heartbeats as they are on the wire. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, afterEach, before, suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { natsServer, removeTemporaryDirectory, repository, type Ground, type Nats } from '@imapfleet/local'
import {
  buckets,
  decode,
  desiredKey,
  encode,
  orderAnswerSchema,
  presenceSchema,
  reportSchema,
  streams,
  subjects,
  wireVersion,
  type Desired,
  type OrderAction,
  type OrderAnswer,
  type Presence,
  type Report,
} from '@imapfleet/protocol'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { Kvm, type KV } from '@nats-io/kv'
import type { NatsConnection } from '@nats-io/transport-node'
import { LoneEdge, temporaryGround } from '../support/lone-edge.ts'
import { connectNats } from '../support/simulated-edge.ts'
import { entered, isServed, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

const address = { region: 'lab', edge: 'lone' }

suite('an edge that takes orders', () => {
  let ground: Ground
  let nats: Nats
  let wire: NatsConnection
  let bucket: KV
  let stub: StubImapd
  let edge: LoneEdge
  /** Everything that the edge has published, oldest first. */
  const answers: OrderAnswer[] = []
  const heartbeats: Presence[] = []

  before(async () => {
    ground = temporaryGround()
    nats = await natsServer({ ground })
    await nats.process?.start()
    wire = await connectNats(nats)
    bucket = await new Kvm(jetstream(wire)).create(buckets.desired, { allow_direct: true })
    const manager = await jetstreamManager(wire)
    await manager.streams.add({
      name: streams.evidence,
      subjects: [subjects.evidenceOfAll],
      allow_direct: true,
    })
    wire.subscribe(subjects.answersOfAll, {
      callback: (_error, { subject, data }) => {
        const answer = decode(orderAnswerSchema, data)
        assert.ok(answer.ok)
        assert.equal(subject, subjects.answer(address, answer.value.order))
        answers.push(answer.value)
      },
    })
    wire.subscribe(subjects.presenceOfAll, {
      callback: (_error, { data }) => {
        const presence = decode(presenceSchema, data)
        assert.ok(presence.ok)
        heartbeats.push(presence.value)
      },
    })
    stub = await listeningStub()
    edge = await LoneEdge.start(stub.port, {
      fleet: {
        servers: [nats.url],
        ...(nats.tokenFile !== undefined && { tokenFile: nats.tokenFile }),
        heartbeatMs: 200,
        reconcileMs: 600_000,
      },
    })
    await until('the first heartbeat', () => heartbeats.length > 0)
  })
  afterEach(() => stub.reset())
  after(async () => {
    await edge?.stop()
    await wire?.close()
    await nats?.process?.stop()
    await removeTemporaryDirectory(ground.directory)
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  /** Sends an order as control does. Resolves with its id at once. */
  function send(
    action: unknown,
    { id = randomUUID(), lifeMs = 60_000, subject = subjects.order({ kind: 'all' }) } = {},
  ): string {
    const at = Date.now()
    wire.publish(
      subject,
      encode({ v: wireVersion, id, givenBy: 'tests', at, expiresAt: at + lifeMs, action }),
    )
    return id
  }
  const answerTo = async (id: string) =>
    until(`the answer to ${id}`, () => answers.find(({ order }) => order === id))
  const order = async (action: OrderAction, options: Parameters<typeof send>[1] = {}) => {
    const { ok, reason, result } = await answerTo(send(action, options))
    return ok ? result : reason
  }
  const idle = async () => (await edge.stats()).gauges['upstreams_idle']

  test('`who` lists sessions and idle connections, of all users and of one', async () => {
    const alice = await entered(edge)
    const bob = await entered(edge, 'bob')
    await bob.command('LOGOUT')
    await until('the idle connection', async () => (await idle()) === 1)
    const all = (await order({ kind: 'who' })) as {
      user: string
      state: string
      client?: string
      uses: number
    }[]
    assert.deepEqual(
      all
        .map(({ user, state, client, uses }) => [user, state, client, uses])
        .toSorted(([a], [b]) => String(a).localeCompare(String(b))),
      [
        ['alice', 'leased', '127.0.0.1', 1],
        ['bob', 'idle', undefined, 1],
      ],
    )
    const one = (await order({ kind: 'who', user: 'bob' })) as { user: string }[]
    assert.deepEqual(
      one.map(({ user }) => user),
      ['bob'],
    )
    await alice.command('LOGOUT')
    await edge.settled(2)
  })

  test('`kick-user` ends the sessions of that user only, between two responses, and keeps none of their connections for others', async () => {
    const [first, second, bob] = [await entered(edge), await entered(edge), await entered(edge, 'bob')]
    await first.command('SELECT INBOX')
    assert.deepEqual(await order({ kind: 'kick-user', user: 'alice' }), { sessions: 2 })
    for (const client of [first, second]) assert.match(await client.rest(), /^\* BYE .*\r\n$/)
    assert.ok(await isServed(bob))
    assert.deepEqual(await order({ kind: 'kick-user', user: 'alice' }), { sessions: 0 })
    await bob.command('LOGOUT')
  })

  test('`purge-idle` closes idle connections, of one user and of all, and no session', async () => {
    await until('no session', async () => (await edge.stats()).gauges['upstreams_leased'] === 0)
    await order({ kind: 'purge-idle' })
    for (const user of ['alice', 'bob', 'carol']) await (await entered(edge, user)).command('LOGOUT')
    await edge.settled(3)
    const open = () => stub.connections.filter((connection) => connection.open).length
    assert.deepEqual(await order({ kind: 'purge-idle', user: 'bob' }), { connections: 1 })
    await until('the connection closed', () => open() === 2)
    const carol = await entered(edge, 'carol')
    assert.deepEqual(await order({ kind: 'purge-idle' }), { connections: 1 })
    await until('the connection closed', () => open() === 1)
    assert.ok(await isServed(carol))
    await carol.command('LOGOUT')
    await edge.settled(1)
  })

  test('`pause-upstream` lets sessions and idle connections work, opens no new ones, and `resume-upstream` ends it', async () => {
    await order({ kind: 'purge-idle' })
    await (await entered(edge, 'carol')).command('LOGOUT')
    await edge.settled(1)
    const alice = await entered(edge)
    assert.deepEqual(await order({ kind: 'pause-upstream', upstream: 'main' }), {})
    assert.ok(await isServed(alice))
    const bob = await edge.client()
    const refused = await bob.command('LOGIN bob secret')
    assert.deepEqual([refused.status, refused.text.startsWith('[UNAVAILABLE]')], ['NO', true])
    const carol = await entered(edge, 'carol')
    assert.deepEqual(await order({ kind: 'resume-upstream', upstream: 'main' }), {})
    assert.equal((await bob.command('LOGIN bob secret')).status, 'OK')
    assert.equal(
      await order({ kind: 'pause-upstream', upstream: 'nowhere' }),
      'there is no upstream named nowhere',
    )
    await Promise.all([alice, bob, carol].map((client) => client.command('LOGOUT')))
    await edge.settled(3)
  })

  test('`route-lookup`, `version`, `reset-counters` and `newlog` are answered', async () => {
    assert.deepEqual(await order({ kind: 'route-lookup', user: 'alice' }), { upstream: 'main' })
    assert.deepEqual(await order({ kind: 'route-lookup', user: 'x@y.example', listener: 'imap' }), {
      upstream: 'main',
    })
    assert.equal(
      ((await order({ kind: 'version' })) as { version: string }).version,
      (await edge.stats()).version,
    )
    assert.deepEqual(await order({ kind: 'reset-counters' }), {})
    assert.match(String(await order({ kind: 'newlog' })), /there is no protocol log/)
  })

  test('orders for the region and for the edge are carried out, those for others are not', async () => {
    const own = [
      subjects.order({ kind: 'region', region: 'lab' }),
      subjects.order({ kind: 'edge', ...address }),
    ]
    for (const subject of own) assert.ok(await order({ kind: 'version' }, { subject }))
    const alice = await entered(edge)
    for (const subject of [
      subjects.order({ kind: 'region', region: 'eu' }),
      subjects.order({ kind: 'edge', region: 'lab', edge: 'other' }),
    ])
      send({ kind: 'kick-user', user: 'alice' }, { subject })
    await order({ kind: 'version' })
    assert.ok(await isServed(alice))
    await alice.command('LOGOUT')
  })

  test('an expired order and those that it does not understand are refused with the reason, and none is carried out', async () => {
    const alice = await entered(edge)
    for (const [action, reason, lifeMs] of [
      [{ kind: 'kick-user', user: 'alice' }, /^the order has expired$/, -1],
      [{ kind: 'kick-user' }, /does not accept action\.user: /],
      [{ kind: 'kick-user', user: '' }, /does not accept action\.user: /],
      [
        { kind: 'kick', user: 'alice' },
        /^this edge has version [\d.]+, which has no order kick: upgrade it$/,
      ],
      [{ kind: 'pause-upstream', upstream: 'main; x' }, /does not accept action\.upstream: /],
    ] as const) {
      const answer = await answerTo(send(action, lifeMs === undefined ? {} : { lifeMs }))
      assert.equal(answer.ok, false)
      assert.match(answer.reason ?? '', reason)
    }
    const none = send('kick-user')
    await order({ kind: 'version' })
    assert.ok(await isServed(alice))
    assert.ok(answers.every(({ order: id }) => id !== none))
    await alice.command('LOGOUT')
  })

  test('messages of an older control are obeyed, and of a newer one as far as the edge knows them', async () => {
    const file = join(repository, 'packages/protocol/recorded/first.json')
    const recorded = JSON.parse(await readFile(file, 'utf8')) as Record<
      'desired' | 'desiredChanged' | 'order',
      object
    >
    /** Puts the desired state, announces it, and waits until a heartbeat says that it is applied. */
    const desired = async (version: number, revision: number, more: object = {}) => {
      const config = { revision, layer: { pool: { idleTimeoutMs: 70_000 + revision } }, ...more }
      const state = { ...recorded.desired, ...more, version, config, traces: [], revocations: [] }
      await bucket.put(desiredKey(address), encode(state))
      wire.publish(subjects.desiredChanged, encode({ ...recorded.desiredChanged, ...more, version }))
      await until('the heartbeat', () => heartbeats.at(-1)?.config.applied === revision)
    }
    const give = async (more: object = {}, action: object = {}) => {
      const alice = await entered(edge)
      const id = randomUUID()
      const at = Date.now()
      const kick = { kind: 'kick-user', user: 'alice', ...action }
      const message = { ...recorded.order, ...more, id, at, expiresAt: at + 12_000, action: kick }
      wire.publish(subjects.order({ kind: 'all' }), encode(message))
      const { ok, result } = await answerTo(id)
      assert.deepEqual([ok, result], [true, { sessions: 1 }])
      assert.match(await alice.rest(), /BYE Session ended by the operator/)
    }
    await desired(5, 1)
    await give()
    const addedLater = { addedLater: { by: 'a newer control' } }
    await desired(6, 2, addedLater)
    await give(addedLater, addedLater)
  })

  test('an order that waited while the edge was halted for longer than it is valid is refused', async () => {
    const alice = await entered(edge)
    edge.edge.process.send('SIGSTOP')
    const id = send({ kind: 'kick-user', user: 'alice' }, { lifeMs: 4_000 })
    await wire.flush()
    await sleep(4_500)
    edge.edge.process.send('SIGCONT')
    const { ok, reason } = await answerTo(id)
    assert.equal(ok, false)
    assert.match(reason ?? '', /may have expired: this edge or its connection to NATS was halted for \d+ s/)
    assert.ok(await isServed(alice))
    // The next one is carried out as soon as NATS has answered again.
    await until('an order that is carried out', async () => {
      const next = await answerTo(send({ kind: 'version' }, { lifeMs: 4_000 }))
      return next.ok
    })
    await alice.command('LOGOUT')
  })

  test('an order that is delivered again is carried out once, and answered again', async () => {
    const first = await entered(edge)
    const id = randomUUID()
    assert.deepEqual(await order({ kind: 'kick-user', user: 'alice' }, { id }), { sessions: 1 })
    await first.rest()
    const second = await entered(edge)
    send({ kind: 'kick-user', user: 'alice' }, { id })
    const again = await until('two answers', () => {
      const all = answers.filter((answer) => answer.order === id)
      return all.length === 2 && all
    })
    assert.deepEqual(
      again.map(({ result }) => result),
      [{ sessions: 1 }, { sessions: 1 }],
    )
    assert.ok(await isServed(second))
    await second.command('LOGOUT')
  })

  /** Writes the desired state as control does, and waits for a heartbeat that fits. */
  async function desire(
    version: number,
    more: Partial<Desired>,
    seen: (presence: Presence) => boolean,
  ): Promise<Presence> {
    const state: Desired = {
      ...{
        v: wireVersion,
        version,
        config: { revision: 0, layer: {} },
        traces: [],
        revocations: [],
        drain: false,
      },
      ...more,
    }
    await bucket.put(desiredKey(address), encode(state))
    const since = heartbeats.length
    wire.publish(subjects.desiredChanged, encode({ v: wireVersion, version }))
    return until('the heartbeat', () => heartbeats.slice(since).find(seen))
  }
  const layerOf = (revision: number, ms: unknown) => ({ revision, layer: { pool: { idleTimeoutMs: ms } } })

  test('desired state is applied, rejected and kept over a kill, and an older version is ignored', async () => {
    await desire(10, { config: layerOf(3, 77_000) }, ({ config }) => config.applied === 3)
    const bad = await desire(
      11,
      { config: layerOf(4, 'soon') },
      ({ config }) => config.rejected !== undefined,
    )
    assert.deepEqual([bad.config.applied, bad.config.rejected?.revision], [3, 4])
    assert.match(bad.config.rejected?.reason ?? '', /pool\.idleTimeoutMs/)
    await desire(
      12,
      { config: layerOf(5, 78_000), revocations: [{ sequence: 6, kind: 'user', subject: 'zoe', at: 1 }] },
      ({ config, revocations }) => config.applied === 5 && revocations === 6,
    )
    const older = await desire(9, { config: layerOf(9, 79_000) }, () => true)
    assert.equal(older.config.applied, 5)
    await desire(13, { config: layerOf(5, 78_000) }, () => true)

    await edge.edge.process.kill()
    await nats.process?.stop()
    await edge.edge.process.start()
    assert.equal((await edge.stats()).gauges['config_revision'], 5)
    await nats.process?.start()
    const since = heartbeats.length
    const back = await until('a heartbeat of the new run', () => heartbeats.slice(since).at(0))
    assert.deepEqual([back.config.applied, back.config.rejected], [5, undefined])
    await desire(14, { config: layerOf(6, 80_000) }, ({ config }) => config.applied === 6)
  })

  test('a drain refuses new clients and says so in the heartbeat, and its end admits them again', async () => {
    await desire(20, { drain: true }, ({ state }) => state === 'draining')
    const refused = await edge.client().catch(() => undefined)
    assert.ok(refused === undefined || refused.greeting.startsWith('* BYE'))
    await desire(21, {}, ({ state }) => state === 'serving')
    const alice = await entered(edge)
    await alice.command('LOGOUT')
  })

  test('when the file of the edge is read again, the configuration of the fleet still overrides it', async () => {
    const shows = async () => {
      const client = await edge.client()
      await client.close()
      return client.greeting.includes('XIMAPPROXY')
    }
    const config = { revision: 8, layer: { admin: { commands: true } } }
    await desire(30, { config }, (presence) => presence.config.applied === 8)
    assert.ok(await shows())
    const since = heartbeats.length
    await edge.reload({ admin: { commands: false }, pool: { idleTimeoutMs: 66_000 } })
    await until('a heartbeat', () => heartbeats.length > since)
    assert.ok(await shows())
    await desire(31, { config: { revision: 9, layer: {} } }, (presence) => presence.config.applied === 9)
    assert.equal(await shows(), false)
  })

  test('reports that the fleet did not acknowledge are sent by the next run, in order and without a gap', async () => {
    const manager = await jetstreamManager(wire)
    await manager.streams.add({ name: streams.reports, subjects: [subjects.reportsOfAll] })
    const received: Report[] = []
    wire.subscribe(subjects.reportsOfAll, {
      callback: (_error, { data }) => {
        const report = decode(reportSchema, data)
        assert.ok(report.ok)
        received.push(report.value)
      },
    })
    // Before the edge is told to stop: its last report may come at once.
    await wire.flush()
    const { boot } = heartbeats.at(-1) ?? {}
    await edge.edge.process.stop()
    // The process has ended, but its last message may still be on its way to this one.
    const last = await until('the last report of a stop', () =>
      received.filter((report) => report.boot === boot).at(-1),
    )
    await edge.edge.process.start()
    const second = (
      await until('the next run', () => heartbeats.find((beat) => beat.boot !== boot && beat.at > last.at))
    ).boot
    await nats.process?.stop()
    await edge.edge.process.stop()
    await nats.process?.start()
    await edge.edge.process.start()
    const kept = await until('the kept report', () =>
      received.filter((report) => report.boot === second).at(-1),
    )
    assert.equal(kept.sequence, received.filter((report) => report.boot === second).length)
    assert.ok(received.every(({ region, edge: id }) => region === 'lab' && id === 'lone'))
  })

  test('an edge that cannot write its state directory says so, is not ready, and saves what it applied when it can', async () => {
    const readiness = async () => (await fetch(`${edge.httpUrl}/readyz`)).status
    const { fleet } = JSON.parse(await readFile(edge.edge.configFile, 'utf8')) as {
      fleet: { stateDir: string }
    }
    assert.equal(await readiness(), 200)
    await rm(fleet.stateDir, { recursive: true })
    await writeFile(fleet.stateDir, 'a file in the place of the directory')
    const config = { revision: 60, layer: { pool: { usesMax: 60 } } }
    const told = await desire(60, { config }, ({ unsaved }) => unsaved !== undefined)
    assert.match(
      told.unsaved ?? '',
      /cannot write its state directory .*: configuration and revocations of the fleet are lost at its next restart/,
    )
    assert.ok(told.degraded.includes(told.unsaved!))
    assert.equal(told.config.applied, 60)
    assert.equal(await readiness(), 503)
    assert.match(
      await (await fetch(`${edge.httpUrl}/healthz`)).text(),
      /"degraded".*cannot write its state directory/,
    )

    await rm(fleet.stateDir)
    await until('readiness', async () => (await readiness()) === 200)
    const saved = JSON.parse(await readFile(join(fleet.stateDir, 'desired.json'), 'utf8')) as Desired
    assert.equal(saved.version, 60)
    await until('a heartbeat without it', () => heartbeats.at(-1)?.unsaved === undefined)
  })
})
