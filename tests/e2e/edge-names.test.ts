/** Names and addresses of servers: a name server that falls silent, an address that never greets, and health checks in Dovecot's log. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { suite, test, type TestContext } from 'node:test'
import { freePort, removeTemporaryDirectory } from '@imapfleet/local'
import { LoneEdge, temporaryGround } from '../support/lone-edge.ts'
import { MailServer } from '../support/mail-server.ts'
import { NameServer } from '../support/name-server.ts'
import { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

async function stubFor(t: TestContext): Promise<StubImapd> {
  const stub = new StubImapd(await freePort())
  for (let user = 0; user < 24; user++) stub.account(`user${user}`, 'secret')
  await stub.listen()
  t.after(() => stub.close())
  return stub
}

/** Milliseconds until this login was answered, with its status. */
async function loginOf(edge: LoneEdge, user: string): Promise<{ status: string; text: string; ms: number }> {
  const client = await edge.client()
  const startedAt = performance.now()
  const { status, text } = await client.command(`LOGIN ${user} secret`)
  const ms = performance.now() - startedAt
  await client.close()
  return { status, text, ms }
}

suite('a name server that falls silent', { skip: NameServer.obstacle ?? false }, () => {
  async function named(t: TestContext, upstream: object, more: object = {}) {
    const names = await NameServer.listen({ 'mail.example.test': '127.0.0.1' })
    t.after(() => names.close())
    const ground = temporaryGround()
    t.after(() => removeTemporaryDirectory(ground.directory))
    const stub = await stubFor(t)
    const main = { hosts: ['mail.example.test'], addressFamily: 'ipv4', connectAttempts: 1, ...upstream }
    const start = async () => {
      const config = { upstreams: { main }, ...more }
      const edge = await LoneEdge.start(stub.port, config, await names.runner(ground.directory))
      t.after(() => edge.stop())
      return edge
    }
    return { names, stub, start }
  }

  test('24 logins at once use the last answer and do not wait', async (t) => {
    const { names, stub, start } = await named(t, { resolveEveryMs: 1000 })
    const edge = await start()
    assert.equal((await loginOf(edge, 'user0')).status, 'OK')
    const before = names.queries.length
    names.answers = false
    await until('a query without an answer', async () => names.queries.length > before || undefined)
    const logins = await Promise.all(Array.from({ length: 24 }, (_, index) => loginOf(edge, `user${index}`)))
    assert.deepEqual([...new Set(logins.map(({ status }) => status))], ['OK'])
    const slowest = Math.max(...logins.map(({ ms }) => ms))
    assert.ok(slowest < 3000, `the slowest login took ${slowest} ms`)
    assert.ok(stub.connections.length >= 24)
  })

  test('the first lookup is within the time of the login; names in /etc/hosts and addresses are not held up', async (t) => {
    const upstreams = {
      local: { hosts: ['localhost'], addressFamily: 'ipv4', healthIntervalMs: 0 },
    }
    const { names, stub, start } = await named(t, {}, { clients: { loginTimeoutMs: 2000 } })
    names.answers = false
    const edge = await start()
    await edge.reload({
      upstreams: { local: { ...upstreams.local, port: stub.port } },
      routes: [{ upstream: 'local', user: 'user1' }],
    })
    const [silent, local] = await Promise.all([loginOf(edge, 'user0'), loginOf(edge, 'user1')])
    assert.equal(silent.status, 'NO')
    assert.match(silent.text, /^\[UNAVAILABLE\] /)
    assert.ok(silent.ms < 4000, `${silent.ms} ms`)
    assert.equal(local.status, 'OK')
    assert.ok(local.ms < 1500, `${local.ms} ms`)
    const stoppedAt = performance.now()
    edge.edge.process.send('SIGTERM')
    assert.deepEqual(await edge.edge.process.exited(), { code: 0, signal: null })
    const stopping = performance.now() - stoppedAt
    assert.ok(stopping < 2500, `it stopped after ${stopping} ms, while a lookup was under way`)
  })
})

test('an address that accepts and never greets costs one login its share, and later ones nothing', async (t) => {
  const stub = await stubFor(t)
  const held: Socket[] = []
  const silent = createServer((socket) => held.push(socket))
  silent.listen(stub.port, '127.0.0.2')
  await once(silent, 'listening')
  t.after(() => {
    for (const socket of held) socket.destroy()
    silent.close()
  })
  const main = { hosts: ['127.0.0.2', '127.0.0.1'], connectTimeoutMs: 2000 }
  const edge = await LoneEdge.start(stub.port, { upstreams: { main } })
  t.after(() => edge.stop())
  const first = await loginOf(edge, 'user0')
  assert.equal(first.status, 'OK')
  assert.ok(first.ms < 1800, `${first.ms} ms`)
  for (let user = 1; user < 6; user++) {
    const login = await loginOf(edge, `user${user}`)
    assert.equal(login.status, 'OK')
    assert.ok(login.ms < 500, `${login.ms} ms`)
  }
  assert.equal(held.length, 1)
  await edge.logged(/address_down upstream=main detail=.*127\.0\.0\.2 port \d+: no greeting within \d+ ms/)
  assert.equal((await edge.stats()).gauges['upstream_addresses_down{upstream="main"}'], 1)
})

test('Dovecot logs one connection without a login when the edge starts, and none while it answers', async (t) => {
  const dovecot = await MailServer.start([{ user: 'alice', password: 'secret', mailbox: 'small' }])
  t.after(() => dovecot.stop())
  // Whatever the edge sends before it disconnects, Dovecot logs such a line, and fail2ban counts them.
  const withoutLogin = async () =>
    (await dovecot.log()).split('\n').filter((line) => line.includes('(no auth attempts in')).length
  await dovecot.logins('alice')
  const before = await withoutLogin()
  const edge = await LoneEdge.start(dovecot.port, { upstreams: { main: { healthIntervalMs: 1000 } } })
  t.after(() => edge.stop())
  await until('the check at the start', async () => (await withoutLogin()) > before || undefined)
  // Intervals with and without logins.
  const startedAt = Date.now()
  await until('two logins and five intervals', async () => {
    if (Date.now() - startedAt < 2000) assert.equal((await loginOf(edge, 'alice')).status, 'OK')
    return Date.now() - startedAt > 5000 || undefined
  })
  assert.equal(await withoutLogin(), before + 1)
})
