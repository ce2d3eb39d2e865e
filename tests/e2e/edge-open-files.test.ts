/** The limit of open files: an edge without files left does not take its server to be down, and recovers by itself. */
import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { after, afterEach, before, suite, test } from 'node:test'
import type { LoneEdge } from '../support/lone-edge.ts'
import { MailSocket } from '../support/mail-socket.ts'
import { edgeFor, entered, isServed, listeningStub } from '../support/stub-edge.ts'
import type { StubImapd } from '../support/stub-imapd.ts'
import { until } from '../support/until.ts'

const users = Array.from({ length: 40 }, (_, at) => `user${at}`)

/** CPU time that the edge has used. The kernel counts in units of 10 ms. */
function cpuMs(edge: LoneEdge): number {
  const fields = readFileSync(`/proc/${edge.edge.process.pid}/stat`, 'utf8').split(') ')[1]!.split(' ')
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

/** Sets the limit of open files of the edge, as `ulimit -n` does. */
function limitFiles(edge: LoneEdge, limit: number): void {
  const { pid } = edge.edge.process
  // Only the account of a process may change its limit.
  const { uid, gid } = statSync(`/proc/${pid}`)
  const args = ['--pid', String(pid), `--nofile=${limit}:`]
  const { status, stderr } = spawnSync('prlimit', args, { encoding: 'utf8', uid, gid })
  assert.equal(status, 0, stderr)
}

/**
 * Leaves the edge without a file that it could open, until the returned function is called. The limit is on the number of a
 * file, so clients fill the gaps between the numbers first.
 */
async function useUpFiles(
  edge: LoneEdge,
): Promise<{ clients: MailSocket[]; limit: number; raise: () => void }> {
  const clients: MailSocket[] = []
  for (;;) {
    const files = readdirSync(`/proc/${edge.edge.process.pid}/fd`).map(Number)
    const highest = Math.max(...files)
    if (files.length === highest + 1) {
      limitFiles(edge, highest + 1)
      return { clients, limit: highest + 1, raise: () => limitFiles(edge, highest + 500) }
    }
    clients.push(await edge.client())
  }
}

suite('the limit of open files', () => {
  let stub: StubImapd
  before(async () => (stub = await listeningStub(users)))
  afterEach(() => stub.reset())
  after(async () => {
    await stub?.close()
    assert.deepEqual(stub.faults, [])
  })

  const withIdle = async (edge: LoneEdge, count: number): Promise<void> => {
    for (const user of users.slice(0, count)) await (await entered(edge, user)).command('LOGOUT')
    // Not from the statistics: their connection has a file too.
    await until('idle connections', () => stub.connections.filter(({ open }) => open).length >= count)
  }
  const counters = async (edge: LoneEdge) => (await edge.stats()).counters

  test('logins for which there is no open file are refused, and the server is not marked as down', async (t) => {
    const main = { connectAttempts: 1, breakerFailures: 2 }
    const edge = await edgeFor(t, stub.port, { upstreams: { main } })
    const held = [await edge.client(), await edge.client(), await edge.client()]
    const { clients, raise } = await useUpFiles(edge)
    for (const client of [...held, ...held]) {
      const { status, text } = await client.command('LOGIN user0 secret')
      assert.equal(status, 'NO')
      assert.match(text, /^\[UNAVAILABLE\] /)
    }
    raise()
    // The circuit breaker is closed.
    const login = await held[0]!.command('LOGIN user0 secret')
    assert.equal(login.status, 'OK', login.text)
    assert.equal((await counters(edge))['upstream_failures_total{upstream="main",reason="out-of-files"}'], 6)
    assert.match(await edge.log(), /upstream_unavailable .*EMFILE.*LimitNOFILE=/)
    assert.doesNotMatch(await edge.log(), /upstream_down|address_down/)
    await Promise.all([...held, ...clients].map((client) => client.close()))
  })

  test('idle connections are closed for a login that needs a file', async (t) => {
    const edge = await edgeFor(t, stub.port)
    await withIdle(edge, 12)
    const client = await edge.client()
    const { clients, raise } = await useUpFiles(edge)
    const login = await client.command('LOGIN user20 secret')
    assert.equal(login.status, 'OK', login.text)
    assert.ok(await isServed(client))
    raise()
    const counted = await counters(edge)
    assert.equal(counted['upstream_drops_total{reason="out-of-files"}'], 8)
    assert.equal(counted['upstream_failures_total{upstream="main",reason="out-of-files"}'], undefined)
    await Promise.all([client, ...clients].map((each) => each.close()))
  })

  test('when few files are left, idle connections are closed for clients; then clients are refused, and sessions keep working', async (t) => {
    const edge = await edgeFor(t, stub.port)
    await withIdle(edge, 20)
    const inside = await edge.client()
    const { clients, raise, limit } = await useUpFiles(edge)
    limitFiles(edge, limit + 20)
    await edge.reload({})
    const greeted = await Promise.all(users.map(() => edge.client()))
    clients.push(...greeted)
    const refused = greeted.filter(({ greeting }) => greeting.startsWith('* BYE Too many connections'))
    assert.ok(refused.length > 0 && refused.length < greeted.length, `${refused.length} refused`)
    const login = await inside.command('LOGIN user30 secret')
    assert.equal(login.status, 'OK', login.text)
    assert.ok(await isServed(inside))
    raise()
    const counted = await counters(edge)
    assert.equal(counted['client_refusals_total{reason="out-of-files"}'], refused.length)
    assert.equal(counted['upstream_drops_total{reason="out-of-files"}'], 20)
    const lines = (await edge.log()).split('\n').filter((line) => line.includes('accept_failed'))
    assert.ok(lines.length >= 1 && lines.length <= 3, `${lines.length} lines`)
    assert.match(lines[0]!, /listener=imap .*EMFILE.*LimitNOFILE=/)
    await Promise.all([inside, ...clients].map((client) => client.close()))
  })

  test('without any file left, the edge serves its sessions, does not exit, and does not loop', async (t) => {
    const edge = await edgeFor(t, stub.port)
    const inside = await entered(edge, 'user0')
    const { clients } = await useUpFiles(edge)
    clients.push(...(await Promise.all(users.map(() => MailSocket.open({ port: edge.edge.imapPort })))))
    // The HTTP port, too: its clients are lost, and the edge lives.
    await fetch(`${edge.httpUrl}/healthz`, { headers: { connection: 'close' } }).catch(() => undefined)
    assert.ok(await isServed(inside))
    const [startedAt, startedWith] = [performance.now(), cpuMs(edge)]
    await until('a second', () => performance.now() - startedAt > 1000)
    assert.ok(cpuMs(edge) - startedWith < 500, `${cpuMs(edge) - startedWith} ms of CPU time in one second`)
    assert.ok(await isServed(inside))
    await Promise.all([inside, ...clients].map((client) => client.close()))
  })
})
