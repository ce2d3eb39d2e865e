/** A region behind a leaf node of NATS, which is connected with TLS and a private CA: its edges are part of the fleet, and have the same permissions as others. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { after, before, suite, test } from 'node:test'
import {
  edgeProxy,
  freePort,
  removeTemporaryDirectory,
  temporaryDirectory,
  type EdgeProcess,
  type LocalProcess,
} from '@imapfleet/local'
import { jetstream } from '@nats-io/jetstream'
import { errors } from '@nats-io/transport-node'
import { connectOnce, credentialsAuthenticator } from '@imapfleet/nats'
import { type EdgeView, type RevisionStatus } from '@imapfleet/api'
import { desiredEntry, edgeStatsSchema, evidenceRead, subjects } from '@imapfleet/protocol'
import { Authority } from '../support/certs.ts'
import { leafNode } from '../support/leaf-node.ts'
import { Plane } from '../support/plane.ts'
import { connectNats, SimulatedEdge } from '../support/simulated-edge.ts'
import { until } from '../support/until.ts'

const far = { region: 'far', edge: 'far-1' }
const unheardMs = 1_000
/** The edge reports every 250 ms. It is silent after 600 ms. */
const silentReports = 8

suite('a region behind a leaf node', () => {
  let certificates: string
  let hub: { hubs: string[]; tls: string[] }
  let plane: Plane
  let leaf: LocalProcess
  let leafUrl: string
  let edge: EdgeProcess
  before(async () => {
    const [hubPort, leafPort] = [await freePort(), await freePort()]
    certificates = temporaryDirectory('leaf-certificates')
    const authority = await Authority.make(certificates)
    const { certFile, keyFile } = await authority.issue('hub', 'DNS:localhost')
    plane = await Plane.start({
      perEdge: true,
      natsSettings: [
        `leafnodes { listen: "127.0.0.1:${hubPort}", tls { cert_file: "${certFile}", key_file: "${keyFile}" } }`,
        'server_name: hub',
      ],
    })
    leafUrl = `nats://127.0.0.1:${leafPort}`
    hub = { hubs: [`tls://localhost:${hubPort}`], tls: ['--ca', authority.caFile] }
    leaf = await leafNode(plane, { port: leafPort, region: far.region, ...hub })
    await leaf.start()
    edge = await edgeProxy({
      ground: plane.ground,
      id: far.edge,
      region: far.region,
      // There is no mail server, because only the edge's part in the fleet is tested.
      upstream: { host: '127.0.0.1', port: await freePort() },
      nats: { url: leafUrl, tokenFile: undefined },
      credentialsFile: await plane.enroll(far.region, far.edge),
      config: { fleet: { heartbeatMs: 200, reportIntervalMs: 250, reconcileMs: 1_000 } },
    })
    await edge.process.start()
  })
  after(async () => {
    await edge?.process.stop()
    await leaf?.stop()
    await plane?.stop()
    await removeTemporaryDirectory(certificates)
  })

  const view = async () => (await plane.api('/v1/edges/far-1')).body as EdgeView
  const reports = async () =>
    Number((await plane.sql`select count(*) as n from reports where edge = 'far-1'`)[0]?.['n'])
  const outbox = async () => {
    const stats = await (await fetch(`http://127.0.0.1:${edge.httpPort}/stats`)).json()
    return edgeStatsSchema.parse(stats).gauges['outbox_reports'] ?? 0
  }
  const order = async () => {
    const action = { kind: 'version' }
    const { body } = await plane.api('/v1/orders', {
      body: { target: { kind: 'region', name: 'far' }, action, timeoutMs: 2_000 },
    })
    return (body as { edges: { status: string }[] }).edges[0]?.status
  }
  const isApplied = async (usesMax: number) => {
    const set = { 'pool.usesMax': usesMax }
    const change = { layer: { kind: 'region', name: 'far' }, set }
    const { body } = await plane.api('/v1/config/revisions', { body: change })
    const { revision } = (body as RevisionStatus).revision
    await until('it applied', async () => (await view()).config.applied === revision)
  }

  test('an edge behind it reports, gets its configuration and answers orders', async () => {
    await until('its heartbeat', async () => (await view()).state === 'serving')
    await until('its report', async () => (await reports()) > 0)
    await isApplied(7)
    assert.equal(await order(), 'answered')
  })

  test('evidence crosses it in both directions with its sequence, and is read through it', async () => {
    const names = [
      { region: 'far', edge: 'far-2', at: { ...plane.nats, url: leafUrl } },
      { region: 'eu', edge: 'eu-1', at: plane.nats },
    ]
    const edges = []
    for (const { at, ...address } of names) {
      const credentialsFile = await plane.enroll(address.region, address.edge)
      edges.push({ address, nats: await connectNats(at, { address, credentialsFile }) })
    }
    try {
      const heard: string[] = []
      for (const { nats } of edges)
        nats.subscribe(subjects.storedEvidenceOfAll, {
          callback: (_error, { subject, headers }) =>
            void heard.push(`${subject} ${headers?.get('Nats-Sequence')}`),
        })
      await Promise.all(edges.map(({ nats }) => nats.flush()))
      for (const { address, nats } of edges) {
        heard.length = 0
        const { seq } = await jetstream(nats).publish(subjects.evidence(address), 'x')
        await until('both to hear it', () => heard.length === 2)
        assert.deepEqual(new Set(heard), new Set([`${subjects.storedEvidence(address)} ${seq}`]))
        const read = await nats.request(evidenceRead, JSON.stringify({ seq }))
        assert.equal(read.string(), 'x')
      }
    } finally {
      await Promise.all(edges.map(({ nats }) => nats.close()))
    }
  })

  test('everything works again when the main server is up, and reports from the meantime arrive', async () => {
    await plane.nats.process?.kill()
    await until('reports that wait', async () => (await outbox()) > silentReports)
    // Control hears no edge, so it does not say that this one is silent.
    assert.equal((await view()).state, 'serving')
    const reported = await reports()
    await plane.nats.process?.start()
    await until('its reports', async () => (await reports()) > reported)
    await isApplied(8)
    await until('an answer', async () => (await order()) === 'answered')
  })

  test('it can be restarted without restarting control or the edge', async () => {
    await leaf.kill()
    await leaf.start()
    await until('the answer', async () => (await order()) === 'answered')
    await isApplied(9)
  })

  test('a leaf node of another region ends no connection of the first one', async (t) => {
    const log = async (name: string) =>
      await readFile(join(plane.ground.directory, `logs/${name}.log`), 'utf8')
    await until('its heartbeat', async () => (await view()).state === 'serving')
    const other = await leafNode(plane, { name: 'near-leaf', port: await freePort(), region: 'near', ...hub })
    await other.start()
    t.after(() => other.stop())
    assert.equal(await order(), 'answered')
    assert.doesNotMatch(await log('nats-server'), /duplicate|replacing/i)
  })

  test('messages for another region do not pass it', async (t) => {
    const address = { region: 'near', edge: 'near-1' }
    const credentialsFile = await plane.enroll('near', 'near-1')
    const stray = await connectNats({ ...plane.nats, url: leafUrl }, { address, credentialsFile })
    t.after(() => stray.close())
    const heard: string[] = []
    for (const subject of subjects.ordersFor(address))
      stray.subscribe(subject, { callback: (_error, message) => void heard.push(message.subject) })
    await stray.flush()
    const admin = await connectNats(plane.nats, { credentialsFile: plane.nats.keys!.credentialsFile })
    for (const target of [
      { kind: 'region', region: 'near' },
      { kind: 'edge', ...address },
    ] as const)
      admin.publish(subjects.order(target), '{}')
    await admin.close()
    await assert.rejects(stray.request(desiredEntry(address).read, '', { timeout: unheardMs }))
    assert.equal(await order(), 'answered')
    assert.deepEqual(heard, [])
  })

  test('no client can connect with the credential of the leaf node', async () => {
    for (const name of ['edges', 'system']) {
      const file = join(plane.ground.directory, `nats-leaf/files/${name}.creds`)
      const authenticator = credentialsAuthenticator(await readFile(file, 'utf8'))
      for (const servers of [plane.nats.url, leafUrl])
        await assert.rejects(
          connectOnce({ servers: [servers], authenticator }, 'test'),
          errors.AuthorizationError,
          `${name} at ${servers}`,
        )
    }
  })

  test('a revoked edge behind it is disconnected within seconds', async (t) => {
    const credentialsFile = await plane.enroll('far', 'lost-1')
    const address = { region: 'far', edge: 'lost-1' }
    const lost = await connectNats({ ...plane.nats, url: leafUrl }, { address, credentialsFile })
    t.after(() => lost.close())
    const simulated = new SimulatedEdge(lost, address.region, address.edge)
    await simulated.send(simulated.report({}))
    const ends = until('the end of its connection', async () => {
      for await (const status of lost.status())
        if (status.type === 'error' && /Revoked/.test(status.error.message)) return true
    })
    const { status } = await plane.api('/v1/edges/lost-1/enrolments', { method: 'DELETE' })
    assert.equal(status, 200)
    await ends
    assert.equal((await view()).state, 'serving')
  })
})
