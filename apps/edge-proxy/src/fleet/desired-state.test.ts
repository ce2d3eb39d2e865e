import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { Layer } from '@imapfleet/config'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { encode, type Desired, type Revocation } from '@imapfleet/protocol'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import type { RejectedRevision } from '../edge/start.ts'
import { testCertificate, testKey } from '@imapfleet/local/test-certificate'
import { untilTrue } from '../pool/pool.test-support.ts'
import { runtime } from '../runtime.ts'
import { DesiredState } from './desired-state.ts'
import { desired, ScriptedNats, sender } from './fleet.test-support.ts'
import { StateDirectory } from './state-directory.ts'
import { FleetTraces } from './traces.ts'

const wantedTrace = {
  id: '6f2c7a34-0a3e-4f4b-9a63-0f6f0c0f3c11',
  user: 'joe',
  expiresAt: Date.now() + 600_000,
  bytesMax: 1000,
  bodies: false,
}
const revocation = (sequence: number, subject = 'joe'): Revocation => ({
  sequence,
  kind: 'user',
  subject,
  at: 1,
})
const idleTimeout = (revision: number, ms: unknown) => ({ revision, layer: { pool: { idleTimeoutMs: ms } } })

/** The desired state of a real edge. */
async function stateOfEdge(
  options: { rejected?: RejectedRevision; controlNow?: () => number; layer?: Layer } = {},
) {
  const atWork = await edgeAtWork(options.layer)
  const nats = new ScriptedNats()
  const stateDir = temporaryDirectory('desired')
  const own = { document: atWork.document }
  const { trace_lines_lost_total: lost } = atWork.edge.context.metrics.counters
  const traces = new FleetTraces({
    edge: atWork.edge,
    sender,
    fleet: () => undefined,
    controlNow: options.controlNow,
    lost,
    refused() {},
  })
  const state = () =>
    new DesiredState({
      edge: atWork.edge,
      address: sender,
      document: () => own.document,
      rejected: options.rejected,
      stateDirectory: new StateDirectory(stateDir, atWork.edge.context.log),
      traces,
    })
  const first = state()
  const read = async (by: DesiredState, wanted: Desired | Uint8Array | Error | undefined) => {
    nats.entry = wanted instanceof Uint8Array || wanted instanceof Error || !wanted ? wanted : encode(wanted)
    await by.fetch(nats.handles)
  }
  return {
    ...atWork,
    nats,
    own,
    file: join(stateDir, 'desired.json'),
    state: first,
    /** The desired state of the next run. */
    nextState: state,
    read,
    apply: (wanted: Desired | Uint8Array | Error | undefined) => read(first, wanted),
    idleTimeoutMs: () => atWork.edge.context.settings.current.pool.idleTimeoutMs,
    /** An idle connection of this user. */
    leaveIdle: async (user: string) => {
      const before = atWork.edge.context.pool.connections.count('idle')
      const client = await atWork.session(user)
      client.say('z LOGOUT\r\n')
      await client.closed()
      await untilTrue(() => atWork.edge.context.pool.connections.count('idle') > before)
    },
    idle: () => atWork.edge.context.pool.connections.idle().map(({ user }) => user),
  }
}

test('a newer version is applied, and an older or equal one is not', async () => {
  const { state, apply, idleTimeoutMs, nats } = await stateOfEdge()
  await apply(desired(5, { config: idleTimeout(2, 50_000) }))
  assert.deepEqual([state.applied, idleTimeoutMs()], [2, 50_000])
  await apply(desired(5, { config: idleTimeout(3, 60_000) }))
  await apply(desired(4, { config: idleTimeout(4, 70_000) }))
  assert.deepEqual([state.applied, idleTimeoutMs()], [2, 50_000])
  await apply(desired(6, { config: idleTimeout(1, 80_000) }))
  assert.deepEqual([state.applied, idleTimeoutMs()], [1, 80_000])
  nats.entry = encode(desired(7, { config: idleTimeout(7, 90_000) }))
  await Promise.all([1, 2, 3].map(() => state.fetch(nats.handles)))
  assert.deepEqual([state.applied, idleTimeoutMs(), nats.readingMost], [7, 90_000, 1])
})

test('replaced versions are reported for an hour, at most eight, including the last one of the previous run', async (t) => {
  let now = 1_000
  const { state, apply, nextState, read } = await stateOfEdge()
  t.mock.method(runtime, 'now', () => now)
  await apply(desired(5))
  assert.deepEqual(state.replaced, [])
  await apply(desired(6))
  await apply(desired(6))
  now += 1_800_000
  await apply(desired(7))
  assert.deepEqual([state.version, state.replaced], [7, [6, 5]])
  now += 1_800_000
  assert.deepEqual(state.replaced, [6])
  for (let version = 8; version <= 18; version++) await apply(desired(version))
  assert.deepEqual(state.replaced, [17, 16, 15, 14, 13, 12, 11, 10])
  const next = nextState()
  next.restore()
  await read(next, desired(18))
  assert.deepEqual(next.replaced, [])
  await read(next, desired(19))
  assert.deepEqual([next.version, next.replaced], [19, [18]])
})

test('without an entry, with an unreadable entry, and while NATS does not answer, nothing changes', async () => {
  const { state, apply, idleTimeoutMs, logged } = await stateOfEdge()
  await apply(desired(5, { config: idleTimeout(2, 50_000) }))
  for (const nothing of [undefined, new Uint8Array(), Buffer.from('{'), encode({ ...desired(9), drain: 1 })])
    await apply(nothing)
  await apply(new Error('no responders'))
  assert.deepEqual([state.applied, idleTimeoutMs()], [2, 50_000])
  assert.equal(logged.filter((line) => line.includes('desired_unreadable')).length, 2)
  assert.equal(logged.filter((line) => /desired_unread .*no responders/.test(line)).length, 1)
  await apply(desired(6, { config: idleTimeout(3, 60_000) }))
  assert.equal(idleTimeoutMs(), 60_000)
})

test('a state that could not be applied completely is not reported as applied, and is applied at the next read', async () => {
  let isBroken = true
  const controlNow = () => {
    if (isBroken) throw new Error('a bug')
    return Date.now()
  }
  const { state, apply, edge, logged } = await stateOfEdge({ controlNow })
  const wanted = desired(5, { traces: [wantedTrace], drain: true })
  await apply(wanted)
  assert.deepEqual([state.version, edge.state], [0, 'serving'])
  assert.equal(logged.filter((line) => /desired_unapplied .*a bug/.test(line)).length, 1)
  isBroken = false
  await apply(wanted)
  assert.deepEqual([state.version, edge.state], [5, 'draining'])
})

test('a certificate that can no longer be read stays in force, and is not a fault of the revision', async () => {
  const directory = temporaryDirectory('desired')
  const files = { certFile: join(directory, 'cert.pem'), keyFile: join(directory, 'key.pem') }
  writeFileSync(files.certFile, testCertificate)
  writeFileSync(files.keyFile, testKey)
  const main = { tls: 'starttls', caFile: join(directory, 'ca.pem') }
  writeFileSync(main.caFile, testCertificate)
  const { state, apply, idleTimeoutMs, edge, logged } = await stateOfEdge({
    layer: { listeners: { imap: { tls: 'starttls', ...files } }, upstreams: { main } },
  })
  const { settings } = edge.context
  const [before, { length }] = [settings.listenerTls('imap'), settings.certificateDates]
  assert.ok(before !== undefined && length === 1)
  for (const file of [files.keyFile, main.caFile]) rmSync(file)
  await apply(desired(5, { config: idleTimeout(2, 50_000) }))
  assert.deepEqual([state.applied, state.rejected, idleTimeoutMs()], [2, undefined, 50_000])
  assert.equal(settings.listenerTls('imap'), before)
  assert.equal(settings.certificateDates.length, 1)
  assert.equal(logged.filter((line) => /certificate_unread .*ENOENT/.test(line)).length, 2)
  // Another certificate is a fault of the revision.
  const layer = { listeners: { imap: { certFile: `${files.certFile}.new` } } }
  await apply(desired(6, { config: { revision: 3, layer } }))
  assert.deepEqual([state.applied, state.rejected?.revision], [2, 3])
  assert.match(state.rejected?.reason ?? '', /cert\.pem\.new.*ENOENT/)
})

test('a configuration with a mistake is rejected completely, and the rest of the state is applied', async () => {
  const { state, apply, idleTimeoutMs, edge, file, logged } = await stateOfEdge()
  await apply(desired(5, { config: idleTimeout(2, 50_000) }))
  const layer = { pool: { idleTimeoutMs: 60_000, proveIdleAfterMs: 'soon' } }
  await apply(desired(6, { config: { revision: 3, layer }, drain: true, revocations: [revocation(4)] }))
  assert.deepEqual([state.applied, idleTimeoutMs()], [2, 50_000])
  assert.equal(state.rejected?.revision, 3)
  assert.match(state.rejected?.reason ?? '', /pool\.proveIdleAfterMs/)
  assert.deepEqual([edge.state, state.revocations], ['draining', 4])
  const kept = JSON.parse(readFileSync(file, 'utf8')) as Desired
  assert.deepEqual([kept.version, kept.config, kept.drain], [6, idleTimeout(2, 50_000), true])
  assert.ok(logged.some((line) => line.includes('config_rejected')))
  await apply(desired(7, { config: idleTimeout(4, 70_000) }))
  assert.deepEqual(
    [state.applied, idleTimeoutMs(), state.rejected, edge.state],
    [4, 70_000, undefined, 'serving'],
  )
})

test('a key that only the file of the edge can set is ignored, and the rest of the layer is applied', async () => {
  const { state, apply, idleTimeoutMs, edge, logged } = await stateOfEdge()
  const file = join(temporaryDirectory('elsewhere'), 'trace.log')
  const layer = { trace: { file }, pool: { idleTimeoutMs: 60_000 } }
  await apply(desired(5, { config: { revision: 2, layer } }))
  assert.deepEqual([state.applied, state.rejected, idleTimeoutMs()], [2, undefined, 60_000])
  assert.equal(edge.context.settings.current.trace.file, undefined)
  assert.equal(existsSync(file), false)
  assert.equal(logged.filter((line) => /config_keys_ignored .*keys=trace\.file/.test(line)).length, 1)
})

test('an unknown key is a mistake, and its reason fits into a heartbeat', async () => {
  const { state, apply } = await stateOfEdge()
  const layer = Object.fromEntries(
    Array.from({ length: 200 }, (_, n) => [`no-such-section-${n}`, { key: 1 }]),
  )
  await apply(desired(1, { config: { revision: 0, layer } }))
  assert.equal(state.rejected?.revision, 1)
  assert.equal(state.rejected?.reason.length, 4000)
  assert.equal(state.applied, 0)
})

test('a configuration that the edge cannot apply is rejected, and the previous one stays in force', async () => {
  const { state, apply, idleTimeoutMs } = await stateOfEdge()
  await apply(desired(1, { config: idleTimeout(1, 50_000) }))
  const layer = {
    pool: { idleTimeoutMs: 60_000 },
    upstreams: { main: { tls: 'implicit', caFile: '/nowhere/ca.pem' } },
  }
  await apply(desired(2, { config: { revision: 2, layer } }))
  assert.deepEqual([state.applied, idleTimeoutMs(), state.rejected?.revision], [1, 50_000, 2])
  assert.match(state.rejected?.reason ?? '', /\/nowhere\/ca\.pem/)
})

test('the revision with which the edge could not start is not applied later either, but the next one is', async () => {
  const { state, apply, idleTimeoutMs } = await stateOfEdge({
    rejected: { revision: 3, reason: 'port in use' },
  })
  const before = idleTimeoutMs()
  await apply(desired(1, { config: idleTimeout(3, 50_000) }))
  assert.deepEqual([state.applied, idleTimeoutMs()], [0, before])
  assert.deepEqual(state.rejected, { revision: 3, reason: 'port in use' })
  await apply(desired(2, { config: idleTimeout(4, 60_000) }))
  assert.deepEqual([state.applied, idleTimeoutMs(), state.rejected], [4, 60_000, undefined])
})

test('the next run begins with the last good state, without its traces, and reads the same version again', async () => {
  const { apply, nextState, read, edge, idleTimeoutMs } = await stateOfEdge()
  const last = desired(5, {
    config: idleTimeout(2, 50_000),
    traces: [wantedTrace],
    revocations: [revocation(8)],
    drain: true,
  })
  await apply(last)
  assert.equal(edge.context.tracer.active, 1)
  edge.context.tracer.stop(wantedTrace.id, 'stopped')
  edge.resume()
  const restarted = nextState()
  restarted.restore()
  assert.deepEqual(
    [restarted.applied, restarted.revocations, edge.state, edge.context.tracer.active],
    [2, 8, 'draining', 0],
  )
  assert.equal(idleTimeoutMs(), 50_000)
  await read(restarted, last)
  assert.equal(edge.context.tracer.active, 1)
})

test('the next run does not go back to an older version, even if its configuration was rejected', async () => {
  const { apply, nextState, read, idleTimeoutMs, edge, logged } = await stateOfEdge()
  await apply(desired(5, { config: idleTimeout(2, 50_000) }))
  const refused = desired(6, { config: idleTimeout(3, 'soon'), drain: true })
  await apply(refused)
  const restarted = nextState()
  restarted.restore()
  assert.deepEqual([restarted.version, restarted.applied, idleTimeoutMs()], [6, 2, 50_000])
  await read(restarted, desired(5, { config: idleTimeout(4, 60_000) }))
  assert.deepEqual([restarted.version, restarted.applied, edge.state], [6, 2, 'draining'])
  assert.ok(logged.some((line) => line.includes('desired_older')))
  await read(restarted, refused)
  assert.equal(restarted.rejected?.revision, 3)
  await read(restarted, desired(7, { config: idleTimeout(3, 70_000) }))
  assert.deepEqual([restarted.version, idleTimeoutMs()], [7, 70_000])
})

test('two revisions with the same number are distinguished by the versions of their layers', async () => {
  const of = (region: number, ms: unknown) => ({
    ...idleTimeout(3, ms),
    versions: { global: 100, region, edge: 0 },
  })
  const { versions } = of(200, 0)
  const { state, apply, idleTimeoutMs } = await stateOfEdge({
    rejected: { revision: 3, reason: 'port in use', versions },
  })
  assert.deepEqual(state.versions, { global: 0, region: 0, edge: 0 })
  await apply(desired(1, { config: of(200, 50_000) }))
  assert.deepEqual(state.rejected, { revision: 3, reason: 'port in use', versions })
  await apply(desired(2, { config: of(300, 60_000) }))
  assert.deepEqual(
    [state.versions, idleTimeoutMs(), state.rejected],
    [of(300, 0).versions, 60_000, undefined],
  )
  await apply(desired(3, { config: of(400, 'soon') }))
  assert.deepEqual([state.versions, state.rejected?.versions], [of(300, 0).versions, of(400, 0).versions])
  // Control of an older release sends no versions.
  await apply(desired(4, { config: idleTimeout(4, 70_000) }))
  assert.deepEqual([state.applied, state.versions], [4, undefined])
})

test('a last good state that cannot be read is ignored, and one that cannot be written does not stop the edge', async () => {
  const { apply, nextState, file, logged, state } = await stateOfEdge()
  const first = nextState()
  first.restore()
  assert.equal(first.applied, 0)
  assert.equal(existsSync(file), false)
  writeFileSync(file, '{"v":1')
  first.restore()
  assert.equal(first.applied, 0)
  assert.ok(logged.some((line) => line.includes('last_good_unreadable')))
  await apply(desired(5, { config: idleTimeout(2, 50_000) }))
  assert.match(readFileSync(file, 'utf8'), /50000/)
  assert.equal(existsSync(`${file}.new`), false)
  assert.equal(state.applied, 2)
})

test('when the file of the edge changes, the layer of the fleet is merged over the new file', async () => {
  const { state, apply, own, edge } = await stateOfEdge()
  state.reapply()
  assert.equal(state.applied, 0)
  await apply(desired(1, { config: idleTimeout(1, 50_000) }))
  own.document = { ...own.document, pool: { idleTimeoutMs: 1000, lifetimeMaxMs: 123_000 } }
  state.reapply()
  const { pool } = edge.context.settings.current
  assert.deepEqual([pool.idleTimeoutMs, pool.lifetimeMaxMs], [50_000, 123_000])
  own.document = { ...own.document, pool: { idleTimeoutMs: 'soon' } }
  state.reapply()
  assert.equal(edge.context.settings.current.pool.idleTimeoutMs, 50_000)
})

test('each revocation is applied once, also if its number is below that of an applied one', async () => {
  const { state, apply, leaveIdle, idle } = await stateOfEdge()
  await leaveIdle('joe')
  await leaveIdle('jane')
  await apply(desired(1, { revocations: [revocation(5)] }))
  assert.deepEqual([idle(), state.revocations], [['jane'], 5])
  await leaveIdle('joe')
  await apply(desired(2, { revocations: [revocation(5)] }))
  assert.deepEqual(idle(), ['jane', 'joe'])
  await apply(desired(3, { revocations: [revocation(5), revocation(6, 'JANE'), revocation(7)] }))
  assert.deepEqual([idle(), state.revocations], [[], 7])
  // From a restored database whose clock was behind.
  await leaveIdle('joe')
  await leaveIdle('jane')
  await apply(desired(8, { revocations: [revocation(4)] }))
  assert.deepEqual([idle(), state.revocations], [['jane'], 7])
})

test('a drain begins and ends according to the desired state', async () => {
  const { apply, edge } = await stateOfEdge()
  await apply(desired(1, { drain: true }))
  assert.equal(edge.state, 'draining')
  await apply(desired(2, { drain: true }))
  assert.equal(edge.state, 'draining')
  await apply(desired(3))
  assert.equal(edge.state, 'serving')
})

test('requested traces run, and others end', async () => {
  const { apply, edge } = await stateOfEdge()
  await apply(desired(1, { traces: [wantedTrace, { ...wantedTrace, id: wantedTrace.id.replace('6', '7') }] }))
  assert.equal(edge.context.tracer.active, 2)
  await apply(desired(2, { traces: [wantedTrace] }))
  assert.deepEqual(edge.context.tracer.ids(), [wantedTrace.id])
  await apply(desired(3))
  assert.equal(edge.context.tracer.active, 0)
})
