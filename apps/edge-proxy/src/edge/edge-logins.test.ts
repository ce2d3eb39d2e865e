/** Logins whose server does not answer, and clients that disconnect during their logins. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { untilTrue } from '../pool/pool.test-support.ts'
import { wellBehaved } from '../server/scripted-server.test-support.ts'
import { edgeAtWork } from './edge.test-support.ts'

const passwordsIn = (asked: readonly string[]): string[] =>
  asked.filter((text) => /^(LOGIN|AUTHENTICATE)/.test(text))

test('a login whose server does not greet is answered NO after clients.loginTimeoutMs, and is not continued', async () => {
  const { client, scripted, logged, edge } = await edgeAtWork({ clients: { loginTimeoutMs: 1000 } })
  scripted.greeting = undefined
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  assert.match(await joe.closed(), /^a NO \[UNAVAILABLE\] [^\r]+\r\n\* BYE [^\r]+\r\n$/)
  // The connection is closed, so a server that greets now gets no password.
  await scripted.connections[0]!.closed()
  assert.deepEqual(scripted.asked, [])
  assert.ok(logged.some((line) => line.includes('login_refused') && line.includes('abandoned')))
  assert.equal(edge.context.pool.connections.count('dialing'), 0)
})

test('a login that the server does not answer is answered NO after clients.loginTimeoutMs', async () => {
  const { client, scripted } = await edgeAtWork({ clients: { loginTimeoutMs: 1000 } })
  scripted.script = (asked) => (asked.verb === 'LOGIN' ? undefined : wellBehaved(asked))
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  assert.match(await joe.closed(), /^a NO \[UNAVAILABLE\] /)
  await scripted.connections[0]!.closed()
})

test('a login that waits for a place is answered NO after clients.loginTimeoutMs', async () => {
  const { client, session } = await edgeAtWork({
    clients: { loginTimeoutMs: 1000 },
    upstreams: { main: { connectionsMax: 1 } },
  })
  await session('jane')
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  assert.match(await joe.closed(), /^a NO \[LIMIT\] /)
})

test('when a client disconnects, its dial ends, and the server gets no password', async () => {
  const { client, scripted, edge } = await edgeAtWork()
  scripted.greeting = undefined
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  await untilTrue(() => scripted.connections.length === 1)
  joe.socket.destroy()
  await scripted.connections[0]!.closed()
  await untilTrue(() => edge.context.pool.connections.count('dialing') === 0)
  assert.deepEqual(scripted.asked, [])
})

test('when a client disconnects between two attempts, no further attempt begins', async () => {
  const { client, scripted, edge } = await edgeAtWork({
    upstreams: { main: { connectAttempts: 3, connectDelayMs: 600_000 } },
  })
  scripted.greeting = '* BYE no\r\n'
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  await untilTrue(() => edge.context.servers.get('main')!.downReason !== undefined)
  joe.socket.destroy()
  await untilTrue(() => edge.context.pool.connections.count('dialing') === 0)
  assert.equal(scripted.connections.length, 1)
})

test('a client that disconnects leaves the queue immediately', async () => {
  const { client, session, scripted, edge } = await edgeAtWork({
    upstreams: { main: { connectionsMax: 1, queueTimeoutMs: 600_000 } },
  })
  await session('jane')
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  await untilTrue(() => edge.context.pool.connections.count('waiting') === 1)
  joe.socket.destroy()
  await untilTrue(() => edge.context.pool.connections.count('waiting') === 0)
  assert.equal(passwordsIn(scripted.asked).length, 1)
})

test('when the edge stops, a login in progress is answered NO, and its dial is closed', async () => {
  const { client, scripted, edge } = await edgeAtWork()
  scripted.greeting = undefined
  const joe = await client()
  joe.say('a LOGIN joe secret\r\n')
  await untilTrue(() => scripted.connections.length === 1)
  void edge.stop(10_000)
  assert.match(await joe.closed(), /^a NO \[UNAVAILABLE\] [^\r]+\r\n\* BYE Server is stopping[^\r]+\r\n$/)
  await scripted.connections[0]!.closed()
  assert.deepEqual(scripted.asked, [])
})
