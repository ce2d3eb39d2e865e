import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { temporaryDirectory } from '@imapfleet/local/temporary-directory'
import { Log } from '@imapfleet/observe'
import { parseResult, type OrderAction, type OrderKind } from '@imapfleet/protocol'
import { edgeAtWork } from '../edge/edge.test-support.ts'
import { LogOutput } from '../observe/log-output.ts'
import { but, untilTrue } from '../pool/pool.test-support.ts'
import { carryOut, revoke, withoutReuse } from './operations.ts'

const directory = temporaryDirectory('operations')

/** An edge on which joe has a session and jane an idle connection. */
async function edgeWithUsers(file?: string) {
  const atWork = await edgeAtWork(file === undefined ? {} : { trace: { file } })
  const { edge, session } = atWork
  const joe = await session('joe')
  const jane = await session('jane')
  jane.say('a LOGOUT\r\n')
  await jane.closed()
  await untilTrue(() => edge.context.pool.connections.count('idle') === 1)
  return { ...atWork, joe, jane }
}

test('control accepts the result of every order', async () => {
  const { edge } = await edgeWithUsers(join(directory, 'all.log'))
  const actions: { [Kind in OrderKind]: OrderAction<Kind> } = {
    who: { kind: 'who' },
    'route-lookup': { kind: 'route-lookup', user: 'joe' },
    version: { kind: 'version' },
    'reset-counters': { kind: 'reset-counters' },
    newlog: { kind: 'newlog' },
    'pause-upstream': { kind: 'pause-upstream', upstream: 'main' },
    'resume-upstream': { kind: 'resume-upstream', upstream: 'main' },
    'purge-idle': { kind: 'purge-idle' },
    'kick-user': { kind: 'kick-user', user: 'joe' },
    'kick-domain': { kind: 'kick-domain', domain: 'example.org' },
    count: { kind: 'count' },
  }
  for (const action of Object.values(actions)) {
    const outcome = carryOut(edge.context, action)
    assert.ok(outcome.ok, action.kind)
    const { result } = outcome
    assert.deepEqual(parseResult(action.kind, JSON.parse(JSON.stringify(result))), {
      ok: true,
      value: result,
    })
  }
})

test('connections are listed with their state, and with a client only while leased', async () => {
  const { edge } = await edgeWithUsers()
  const outcome = carryOut(edge.context, { kind: 'who' })
  assert.ok(outcome.ok)
  const shown = outcome.result.map(({ user, upstream, state, client, uses }) => [
    user,
    upstream,
    state,
    client,
    uses,
  ])
  assert.deepEqual(shown, [
    ['joe', 'main', 'leased', '127.0.0.1', 1],
    ['jane', 'main', 'idle', undefined, 1],
  ])
  const jane = carryOut(edge.context, { kind: 'who', user: 'jane' })
  assert.deepEqual(jane.ok && jane.result.map(({ user }) => user), ['jane'])
})

test('a session is listed with its start, its bytes and its last command, without arguments', async () => {
  const { edge, joe } = await edgeWithUsers()
  const sessions = () => {
    const outcome = carryOut(edge.context, { kind: 'who' })
    return outcome.ok ? outcome.result.map(({ user, session }) => [user, session] as const) : []
  }
  const before = Date.now()
  const first = new Map(sessions()).get('joe')
  assert.ok(first && first.startedAt <= before && first.startedAt > before - 60_000)
  assert.equal(new Map(sessions()).get('jane'), undefined, 'an idle connection has no session')
  joe.say('b SELECT "secret name"\r\n')
  await joe.until('b OK')
  const later = new Map(sessions()).get('joe')
  assert.equal(later?.command, 'SELECT')
  assert.equal((later?.clientBytes ?? 0) - first.clientBytes, 'b SELECT "secret name"\r\n'.length)
  assert.ok((later?.upstreamBytes ?? 0) > first.upstreamBytes)
  assert.ok(Math.abs((later?.startedAt ?? 0) - first.startedAt) < 1_000)
  assert.doesNotMatch(JSON.stringify(sessions()), /secret/)
})

test('users, sessions and idle connections are counted by user, domain and server', async () => {
  const { edge, session } = await edgeWithUsers()
  await session('ann@Example.org')
  await session('bob@notexample.org')
  const count = (filter: { user?: string; domain?: string; upstream?: string }) => {
    const outcome = carryOut(edge.context, { kind: 'count', ...filter })
    return outcome.ok && outcome.result
  }
  assert.deepEqual(count({}), { users: 4, active: 3, idle: 1 })
  assert.deepEqual(count({ domain: 'example.org' }), { users: 1, active: 1, idle: 0 })
  assert.deepEqual(count({ user: 'jane' }), { users: 1, active: 0, idle: 1 })
  assert.deepEqual(count({ upstream: 'other' }), { users: 0, active: 0, idle: 0 })
})

test('kicking a domain ends the sessions of its users, and of no other', async () => {
  const { edge, session, joe } = await edgeWithUsers()
  const ann = await session('ann@Example.org')
  const bob = await session('bob@notexample.org')
  assert.deepEqual(carryOut(edge.context, { kind: 'kick-domain', domain: 'example.ORG' }), {
    ok: true,
    result: { sessions: 1 },
  })
  await ann.closed()
  for (const other of [joe, bob]) {
    other.say('n NOOP\r\n')
    await other.until('n OK')
  }
})

test('an order for one user does not affect others', async () => {
  const { edge, joe } = await edgeWithUsers()
  assert.deepEqual(carryOut(edge.context, { kind: 'purge-idle', user: 'joe' }), {
    ok: true,
    result: { connections: 0 },
  })
  assert.deepEqual(carryOut(edge.context, { kind: 'kick-user', user: 'jane' }), {
    ok: true,
    result: { sessions: 0 },
  })
  assert.deepEqual(carryOut(edge.context, { kind: 'purge-idle', user: 'jane' }), {
    ok: true,
    result: { connections: 1 },
  })
  assert.deepEqual(carryOut(edge.context, { kind: 'kick-user', user: 'joe' }), {
    ok: true,
    result: { sessions: 1 },
  })
  await joe.closed()
})

test('a revocation ignores the case of names, and closes idle connections', async () => {
  const { edge } = await edgeWithUsers()
  assert.equal(revoke(edge.context, { kind: 'user', subject: 'JANE' }), 1)
  assert.equal(edge.context.pool.connections.count('idle'), 0)
  assert.equal(revoke(edge.context, { kind: 'domain', subject: 'example.com' }), 0)
})

test('a revocation of a user or a domain ignores case on both sides', async () => {
  const { edge, session } = await edgeAtWork()
  for (const user of ['Joe@Example.COM', 'jane@example.com', 'jim@other.example.com'])
    assert.match((await session(user)).unread, /^$/)
  assert.equal(revoke(edge.context, { kind: 'user', subject: 'JOE@example.com' }), 1)
  assert.equal(revoke(edge.context, { kind: 'domain', subject: 'EXAMPLE.com' }), 2)
})

test('a revocation applies to connections that a user has opened for another user', async () => {
  const { edge, client, scripted } = await edgeAtWork()
  scripted.script = but({ AUTHENTICATE: 'TAG OK in\r\n' })
  const peer = await client()
  const message = Buffer.from('joe\0admin\0secret').toString('base64')
  peer.say(`a AUTHENTICATE PLAIN ${message}\r\n`)
  assert.match(await peer.line(), /^a OK /)
  assert.equal(revoke(edge.context, { kind: 'user', subject: 'admin' }), 1)
  assert.equal(revoke(edge.context, { kind: 'user', subject: 'joe' }), 1)
})

test('no idle connection is reused until the work without reuse has ended, also if it fails', async () => {
  const { edge, session, quiet, scripted } = await edgeAtWork()
  const visit = async () => {
    const peer = await session('joe')
    peer.say('a LOGOUT\r\n')
    await peer.closed()
    await quiet()
  }
  await visit()
  const failing = withoutReuse(edge.context, async () => {
    await visit()
    throw new Error('a mistake')
  })
  await assert.rejects(failing, /a mistake/)
  assert.equal(scripted.connections.length, 2)
  await visit()
  assert.equal(scripted.connections.length, 2)
})

test('an order for an upstream that does not exist fails with its name', async () => {
  const { edge } = await edgeAtWork()
  const outcome = carryOut(edge.context, { kind: 'pause-upstream', upstream: 'old' })
  assert.deepEqual(outcome, { ok: false, reason: 'there is no upstream named old' })
})

test('newlog reopens the protocol log by its name, or fails with the reason', async () => {
  const file = join(directory, 'moved.log')
  const { edge } = await edgeAtWork({ trace: { file } })
  const trace = { id: 't', user: 'joe', expiresAt: Infinity, bytesMax: 1000, bodies: false }
  edge.context.protocolLog!.ended(trace, 'stopped')
  renameSync(file, `${file}.1`)
  assert.deepEqual(carryOut(edge.context, { kind: 'newlog' }), { ok: true, result: {} })
  assert.equal(readFileSync(file, 'utf8'), '')
  assert.match(readFileSync(`${file}.1`, 'utf8'), /trace ended: stopped\n$/)

  const without = await edgeAtWork()
  const outcome = carryOut(without.edge.context, { kind: 'newlog' })
  assert.match(outcome.ok ? '' : outcome.reason, /trace\.file.*log\.file/)
})

test('newlog also reopens the log file, and fails with the reasons of both', async () => {
  const folder = temporaryDirectory('newlog')
  const [logFile, traceFile] = [join(folder, 'edge.log'), join(folder, 'protocol.log')]
  const { edge } = await edgeAtWork({ trace: { file: traceFile } })
  const output = LogOutput.of({ file: logFile })
  const log = new Log({ level: 'info', format: 'text' }, output.write, output.file)
  const context = { ...edge.context, log }
  log.info('before')
  renameSync(logFile, `${logFile}.1`)
  assert.deepEqual(carryOut(context, { kind: 'newlog' }), { ok: true, result: {} })
  log.warn('after')
  assert.match(readFileSync(`${logFile}.1`, 'utf8'), /^\S+ info before\n$/)
  assert.match(readFileSync(logFile, 'utf8'), /^\S+ warn after\n$/)
  const alone = carryOut({ ...context, protocolLog: undefined }, { kind: 'newlog' })
  assert.deepEqual(alone, { ok: true, result: {} })

  for (const file of [logFile, traceFile]) {
    rmSync(file)
    mkdirSync(file)
  }
  const outcome = carryOut(context, { kind: 'newlog' })
  assert.match(
    outcome.ok ? '' : outcome.reason,
    /cannot open .*edge\.log: EISDIR; lines still go to the old file; cannot open .*protocol\.log: EISDIR/,
  )
})
