/** A password that is changed and proven at one edge ends what is warm at another: within a second, and after a partition. */
import assert from 'node:assert/strict'
import { randomUUID } from 'node:crypto'
import { after, before, suite, test } from 'node:test'
import { jetstream, jetstreamManager } from '@nats-io/jetstream'
import { headers } from '@nats-io/transport-node'
import { enrollByApi, layGround, type EdgeProcess, type MailUser } from '@imapfleet/local'
import {
  edgeStatsSchema,
  encode,
  streams,
  subjects,
  wireVersion,
  type EdgeAddress,
} from '@imapfleet/protocol'
import { DistantEdge } from '../support/distant-edge.ts'
import { TestFleet } from '../support/fleet.ts'
import type { Relay } from '../support/relay.ts'
import { connectNats } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const evidenceFrom = (address: EdgeAddress, users: string[]) =>
  encode({
    v: wireVersion,
    ...address,
    boot: randomUUID(),
    at: Date.now(),
    sequence: 1,
    changes: users.map((user) => ({ kind: 'proven', user })),
    isIncomplete: false,
  })

suite('passwords that change at another edge', () => {
  let fleet: TestFleet
  let distant: DistantEdge
  let far: EdgeProcess
  let relay: Relay
  before(async () => {
    fleet = await TestFleet.start()
    // No reconcile repairs what the feed misses.
    distant = await DistantEdge.start(fleet, { reconcileMs: 600_000 })
    far = distant.edge
    relay = distant.relay
  })
  after(async () => {
    await distant?.stop()
    await fleet?.stop()
  })

  const stats = async (edge: EdgeProcess) =>
    edgeStatsSchema.parse(await (await fetch(`http://127.0.0.1:${edge.httpPort}/stats`)).json())
  const isReused = async (edge: EdgeProcess, user: MailUser) =>
    (await fleet.session(edge, user)).join('\n').includes('XPROXYREUSE')
  const isRefused = (edge: EdgeProcess, user: MailUser) =>
    fleet.session(edge, user).then(
      () => false,
      () => true,
    )
  /** Makes this user warm at these edges. The first login at each of them is reported to the others. */
  const warm = async (user: MailUser, ...edges: EdgeProcess[]) => {
    await until('all warm at once', async () => {
      await told(...edges)
      const isWarm = []
      for (const edge of edges) isWarm.push(await isReused(edge, user))
      return !isWarm.includes(false)
    })
  }
  const told = (...edges: EdgeProcess[]) =>
    until('all told', async () =>
      (await Promise.all(edges.map(stats))).every(({ gauges }) => gauges['evidence_waiting'] === 0),
    )
  let passwords = 0
  const changed = async ({ user }: MailUser): Promise<MailUser> => {
    const now = { user, password: `changed-${++passwords}-${'x'.repeat(passwords)}` }
    await fleet.setPassword(now)
    return now
  }

  test('idle connections at the other edge are closed within a second', async () => {
    const { eu, us, alice } = fleet
    await warm(alice, eu, us)
    const now = await changed(alice)
    assert.ok(await isReused(eu, alice), 'nothing is known yet')
    const provenAt = performance.now()
    await fleet.session(us, now)
    // A warm login asks no server: it is refused only if eu has heard.
    await until('the old password to be refused at eu', () => isRefused(eu, alice))
    assert.ok(performance.now() - provenAt < 1000, `it took ${performance.now() - provenAt} ms`)
    assert.equal(await isReused(eu, now), false)
    await warm(now, eu, us)
  })

  test('a session that is open at the other edge continues, and its connection is closed after it', async () => {
    const { eu, us, bob } = fleet
    await warm(bob, eu)
    const session = await fleet.client(eu)
    assert.equal((await session.command(`LOGIN ${bob.user} ${bob.password}`)).status, 'OK')
    const now = await changed(bob)
    const heard = (await stats(eu)).counters['evidence_received_total'] ?? 0
    await fleet.session(us, now)
    await until(
      'eu to have heard',
      async () => ((await stats(eu)).counters['evidence_received_total'] ?? 0) > heard,
    )
    assert.equal((await session.command('NOOP')).status, 'OK')
    await session.command('LOGOUT')
    await session.rest()
    assert.ok(await isRefused(eu, bob))
  })

  test('a wrong password at another edge, and a known one, end nothing here', async () => {
    const { eu, us, carol } = fleet
    await warm(carol, us, eu)
    const sent = (await stats(us)).counters['evidence_sent_total']
    for (const password of ['wrong', 'Wrong', ''])
      assert.ok(await isRefused(us, { ...carol, password: `"${password}"` }))
    await warm(carol, us)
    assert.equal((await stats(us)).counters['evidence_sent_total'], sent)
    assert.ok(await isReused(eu, carol))
  })

  test('after a partition, idle connections are closed before the first lease', async () => {
    const { eu, carol } = fleet
    await warm(carol, eu, far)
    relay.cut()
    await distant.away()
    const now = await changed(carol)
    await fleet.session(eu, now)
    assert.ok(await isReused(far, carol), 'it continues with what it has')
    const missed = (await stats(far)).counters['evidence_missed_total']
    relay.heal()
    // The edge must not serve the old password once it says that it is connected.
    await until('it connected', async () => {
      const health = (await (await fetch(`http://127.0.0.1:${far.httpPort}/healthz`)).json()) as {
        fleet: { connected: boolean }
      }
      return health.fleet.connected
    })
    assert.ok(await isRefused(far, carol))
    await distant.back()
    assert.equal((await stats(far)).counters['evidence_missed_total'], missed, 'it read what it missed')
    await warm(now, far)
    fleet.carol.password = now.password
  })

  test('changes that an edge sees during a partition reach the others after it', async () => {
    const { eu, carol } = fleet
    await warm(carol, eu, far)
    relay.cut()
    await distant.away()
    const now = await changed(carol)
    await fleet.session(far, now)
    await until('it waiting', async () => ((await stats(far)).gauges['evidence_waiting'] ?? 0) > 0)
    assert.ok(await isReused(eu, carol))
    relay.heal()
    await until('the old password to be refused at eu', () => isRefused(eu, carol))
    await distant.back()
    fleet.carol.password = now.password
  })

  test('an edge that forges headers of JetStream does not suppress messages of other edges', async () => {
    const { eu, us, carol, stack } = fleet
    const { directory, nats, control, token } = stack
    const address = { region: 'us', edge: 'us-9' }
    const ground = layGround(directory)
    const credentialsFile = await enrollByApi({ ground, nats, control, token }, { id: 'us-9', region: 'us' })
    const hostile = await connectNats(nats, { address, credentialsFile })
    const arrived = async () => {
      const { counters } = await stats(eu)
      return (counters['evidence_received_total'] ?? 0) + (counters['evidence_missed_total'] ?? 0)
    }
    try {
      await warm(carol, eu, us)
      const arrivedBefore = await arrived()
      const stored = await jetstream(hostile).publish(
        subjects.evidence(address),
        evidenceFrom(address, ['x']),
      )
      const forged = headers()
      // What another edge sends next gets this sequence.
      forged.set('Nats-Sequence', String(stored.seq + 2))
      await jetstream(hostile).publish(subjects.evidence(address), evidenceFrom(address, ['y']), {
        headers: forged,
      })
      await until('both messages to arrive', async () => (await arrived()) >= arrivedBefore + 2)
      await warm(carol, eu, us)
      const now = await changed(carol)
      await fleet.session(us, now)
      await until('the old password to be refused at eu', () => isRefused(eu, carol))
      carol.password = now.password
    } finally {
      await hostile.close()
    }
  })

  test('evidence does not contain the boot that is in the ids of the sender’s reports', async () => {
    const { eu, bob } = fleet
    const { nats } = fleet.stack
    const admin = await connectNats(nats, { credentialsFile: nats.keys!.credentialsFile })
    try {
      const heard: string[] = []
      admin.subscribe(subjects.storedEvidence({ region: 'eu', edge: 'eu-1' }), {
        callback: (_error, message) => void heard.push(message.json<{ boot: string }>().boot),
      })
      const boots: string[] = []
      admin.subscribe(subjects.presence({ region: 'eu', edge: 'eu-1' }), {
        callback: (_error, message) => void boots.push(message.json<{ boot: string }>().boot),
      })
      await admin.flush()
      bob.password = (await changed(bob)).password
      await fleet.session(eu, bob)
      await until('both', () => heard.length > 0 && boots.length > 0)
      assert.notEqual(heard[0], boots[0])
    } finally {
      await admin.close()
    }
  })

  test('if the stream was lost in a partition, all idle connections are closed', async () => {
    const { eu, carol } = fleet
    const { nats } = fleet.stack
    const admin = await connectNats(nats, { credentialsFile: nats.keys!.credentialsFile })
    const manager = await jetstreamManager(admin)
    const { config } = await manager.streams.info(streams.evidence)
    try {
      for (const isMadeLonger of [false, true]) {
        await warm(carol, eu, far)
        const missed = (await stats(far)).counters['evidence_missed_total'] ?? 0
        const { state } = await manager.streams.info(streams.evidence)
        relay.cut()
        await distant.away()
        await manager.streams.delete(streams.evidence)
        await manager.streams.add(config)
        // A stream that has grown beyond the old position again is another one too.
        if (isMadeLonger)
          for (let count = 0; count < state.last_seq + 2; count++)
            await manager.streams
              .info(streams.evidence)
              .then(() => admin.request(subjects.evidence({ region: 'eu', edge: 'none' }), '{}'))
        assert.ok(await isReused(far, carol), 'it continues with what it has')
        relay.heal()
        await distant.back()
        await until(
          'the edge to find that messages are missing',
          async () => ((await stats(far)).counters['evidence_missed_total'] ?? 0) > missed,
        )
        assert.equal(await isReused(far, carol), false)
      }
    } finally {
      await admin.close()
    }
  })
})
