/** Exceptions thrown on purpose within the edge. Each must end only the session in which it occurs. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Edge } from './edge.ts'
import { edgeAtWork } from './edge.test-support.ts'
import type { Splice } from '../splice/splice.ts'

const mistake = () => {
  throw new Error('a mistake')
}

const spliceOf = (edge: Edge, user: string): Splice =>
  [...edge.context.sessions.active].find((session) => session.user === user)!.splice

const refusals = (edge: Edge, reason: 'failed-here' | 'upstream-gone'): number =>
  edge.context.metrics.counters.reuse_refused_total({ reason }).value

for (const [where, method, reason] of [
  ['on bytes of the client', 'fromClient', 'failed-here'],
  ['on bytes of the server', 'fromServer', 'upstream-gone'],
] as const)
  test(`${where}: the connection is not used again, and another session continues`, async () => {
    const { edge, session, logged, quiet, scripted } = await edgeAtWork()
    const [joe, jane] = [await session('joe'), await session('jane')]
    spliceOf(edge, 'joe')[method] = mistake
    joe.say('a NOOP\r\n')
    await joe.closed()
    jane.say('a NOOP\r\n')
    await jane.until('a OK')
    assert.equal(refusals(edge, reason), 1)
    assert.ok(logged.some((line) => line.includes('session_failed') && line.includes('a mistake')))
    jane.say('b LOGOUT\r\n')
    await jane.closed()
    await quiet()
    assert.equal(scripted.open, 1)
  })

test('between login and session: the leased connection is closed', async () => {
  const { edge, client, logged, quiet, scripted } = await edgeAtWork()
  const joe = await client()
  edge.context.tracer.begin = mistake
  joe.say('a LOGIN joe secret\r\n')
  await joe.closed()
  await quiet()
  assert.equal(scripted.open, 0)
  assert.equal(edge.context.sessions.active.size, 0)
  assert.equal(refusals(edge, 'failed-here'), 1)
  assert.ok(logged.some((line) => line.includes('session_failed') && line.includes('a mistake')))
})

test('while a session ends: its connection is still given back', async () => {
  const { edge, session, logged, quiet, scripted } = await edgeAtWork()
  const [joe, jane] = [await session('joe'), await session('jane')]
  edge.context.tracer.end = mistake
  joe.say('a LOGOUT\r\n')
  jane.socket.destroy()
  await joe.closed()
  await quiet()
  assert.equal(scripted.open, 2)
  assert.ok(logged.some((line) => line.includes('session_failed') && line.includes('a mistake')))
})

test('while a connection is reset: it is closed, and its user gets another one', async () => {
  const { edge, session, logged, quiet, scripted } = await edgeAtWork()
  const joe = await session('joe')
  const [connection] = edge.context.pool.connections.at('main').leased.keys()
  connection!.link.write = mistake
  joe.say('a LOGOUT\r\n')
  await joe.closed()
  await quiet()
  assert.equal(scripted.open, 0)
  await session('joe')
  assert.equal(refusals(edge, 'failed-here'), 1)
  assert.ok(logged.some((line) => line.includes('reset_failed') && line.includes('a mistake')))
})

test('while an idle connection is proven, for a login or before one: it is closed', async () => {
  const { edge, client, session, quiet, scripted } = await edgeAtWork({
    upstreams: { main: { connectionsMax: 1, queueMax: 0 } },
  })
  for (const prove of [
    () => edge.context.pool.refresh(edge.context.pool.connections.idle()[0]!),
    async () => {
      const joe = await client()
      joe.say('a LOGIN joe secret\r\n')
      await joe.closed()
    },
  ]) {
    const joe = await session('joe')
    joe.say('a LOGOUT\r\n')
    await joe.closed()
    await quiet()
    const [idle] = edge.context.pool.connections.idle()
    idle!.doubt()
    idle!.link.write = mistake
    await prove()
    await quiet()
    assert.equal(scripted.open, 0)
  }
  assert.equal(refusals(edge, 'failed-here'), 2)
})

test('while a connection is opened: it is closed, and its place is free', async () => {
  const { edge, client, session, quiet } = await edgeAtWork({
    upstreams: { main: { connectionsMax: 1, queueMax: 0 } },
  })
  const server = edge.context.servers.get('main')!
  const learnBeforeLogin = server.learnBeforeLogin.bind(server)
  server.learnBeforeLogin = mistake
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  await joe.closed()
  await quiet()
  server.learnBeforeLogin = learnBeforeLogin
  await session('joe')
})

test('in the sweep: the next one still runs', async () => {
  const { edge, logged, session } = await edgeAtWork()
  const rounds = Promise.withResolvers<void>()
  let count = 0
  edge.context.tracer.sweep = () => {
    if (++count === 2) rounds.resolve()
    mistake()
  }
  await rounds.promise
  await session('joe')
  assert.ok(logged.some((line) => line.includes('a mistake')))
})
