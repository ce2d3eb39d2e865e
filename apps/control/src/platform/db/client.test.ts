/** The loss of a connection at any moment ends the statements on it, and not the process. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { after, before, suite, test, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { openClient } from './client.ts'
import type { Database } from './database.ts'
import { testDatabase } from './postgres.test-support.ts'
import { troubleOf } from './trouble.ts'

suite('a Postgres client', () => {
  let db: Database
  before(async () => (db = await testDatabase()))
  after(async () => await db?.close())

  test('that loses its connection at the first statement reports it, and uses a new one', async (t) => {
    const relay = await relayTo(Number(new URL(db.address.url).port))
    t.after(relay.close)
    const url = new URL(db.address.url)
    url.port = String(relay.port)
    const sql = openClient(url.href, { max: 1, backoff: () => 0.01 })
    t.after(async () => await sql.end({ timeout: 1 }))
    const statements = {
      statement: () => sql`select 1 as one`,
      transaction: () => sql.begin(async (tx) => await tx`select 1 as one`),
    }
    for (const [name, statement] of Object.entries(statements)) {
      relay.cutAtStatement = true
      await assert.rejects(statement(), (error) => troubleOf(error) === 'away', name)
      relay.cutAtStatement = false
      assert.equal((await statement())[0]?.['one'], 1, name)
      await relay.cut()
    }
  })

  test('whose session Postgres has ended does not report that again after it has reconnected', async (t) => {
    const sql = openClient(db.address.url, { max: 1, backoff: () => 0.01 })
    t.after(async () => await sql.end({ timeout: 1 }))
    const statements = {
      tagged: () => sql`select 1 as one`,
      text: () => sql.unsafe('select $1::int as one', [1]),
      transaction: () => sql.begin(async (tx) => await tx`select 1 as one`),
    }
    for (const [name, statement] of Object.entries(statements)) {
      const [{ pid }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`
      const slept = assert.rejects(sql`select pg_sleep(20)`, (error) => troubleOf(error) === 'away', name)
      const isAtWork = async () =>
        (await db.sql`select from pg_stat_activity where pid = ${pid} and query like '%pg_sleep%'`).length > 0
      while (!(await isAtWork()));
      await db.sql`select pg_terminate_backend(${pid})`
      await slept
      assert.equal((await statement())[0]?.['one'], 1, name)
    }
  })

  const backendOf = async (sql: ReturnType<typeof openClient>) => {
    const [{ pid }] = await sql<[{ pid: number }]>`select pg_backend_pid() as pid`
    return pid
  }
  const terminate = async (pids: readonly number[]) =>
    void (await db.sql`select pg_terminate_backend(pid) from unnest(${pids}::int[]) as pid`)
  const opened = (t: TestContext, options: Parameters<typeof openClient>[1] = {}, url = db.address.url) => {
    const sql = openClient(url, { max: 1, backoff: () => 0.01, connect_timeout: 5, ...options })
    t.after(async () => await sql.end({ timeout: 1 }))
    return sql
  }
  const through = (port: number) => Object.assign(new URL(db.address.url), { port: String(port) }).href

  test('whose session ends within the rows of a statement gets the rows of the next one alone', async (t) => {
    const sql = opened(t)
    const pid = await backendOf(sql)
    const cut = assert.rejects(
      sql`select i, pg_sleep(case i when 2000 then 20 else 0 end) from generate_series(1, 3000) as i`,
      (error) => troubleOf(error) === 'away',
    )
    await sleep(300)
    await terminate([pid])
    await cut
    assert.deepEqual([...(await sql`select 1 as one`)], [{ one: 1 }])
  })

  test('sends no statement of a transaction after the loss of its connection, also if the work ignores the loss', async (t) => {
    const sql = opened(t)
    const pid = await backendOf(sql)
    const transaction = sql.begin(async (tx) => {
      const slept = tx`select pg_sleep(20)`.catch(() => undefined)
      await terminate([pid])
      await slept
      await tx`select 1`
    })
    await assert.rejects(transaction, (error) => troubleOf(error) === 'away')
    assert.deepEqual([...(await sql`select 1 as one`)], [{ one: 1 }])
  })

  test('rolls back a transaction whose work has lost another connection', async (t) => {
    const sql = opened(t)
    const lost = Object.assign(new Error('NATS is away'), { code: 'ECONNRESET', syscall: 'read' })
    const transaction = sql.begin(async (tx) => {
      await tx`select 1`
      throw lost
    })
    await assert.rejects(transaction, lost)
  })

  test('whose sessions all end at once uses new ones at once', async (t) => {
    const sql = opened(t, { max: 4 })
    for (let round = 0; round < 6; round++) {
      const pids = (
        await Promise.all(
          Array.from(
            { length: 4 },
            async () =>
              await sql<{ pid: number }[]>`
        select pg_backend_pid() as pid, pg_sleep(0.05)`,
          ),
        )
      ).map(([row]) => row!.pid)
      // A caller that learns of a loss may send statements at once, before the driver knows of the other losses.
      const retried = sql`select pg_sleep(20)`.catch(
        async () => await Promise.allSettled([sql`select 1`, sql`select 2`, sql`select 3`]),
      )
      await sleep(50)
      const since = Date.now()
      await terminate(pids)
      await retried
      for (const one of await Promise.all([1, 2, 3, 4].map(async (i) => await sql`select ${i}::int as one`)))
        assert.equal(one.length, 1)
      assert.ok(Date.now() - since < 3000, 'no session is stuck until the timeout for connecting')
    }
  })

  test('begins a new session although a statement was not sent at the end of the last one', async (t) => {
    const sockets: Socket[] = []
    const socket = () => {
      const { hostname, port } = new URL(db.address.url)
      sockets.push(connect(Number(port), hostname))
      return sockets.at(-1)
    }
    const sql = opened(t, { socket, connection: { statement_timeout: 20_000 } } as object)
    for (let round = 0; round < 3; round++) {
      await sql`select 1`
      const made = await new Promise<unknown>((resolve) => {
        // The driver has made its message, and the connection is closed before it is written.
        setImmediate(() => {
          resolve(sql`select 2`.catch(troubleOf))
          process.nextTick(() => queueMicrotask(() => sockets.at(-1)!.destroy()))
        })
      })
      assert.equal(made, 'away')
      const since = Date.now()
      assert.deepEqual([...(await sql`select 3 as three`)], [{ three: 3 }])
      assert.ok(Date.now() - since < 3000)
    }
  })

  test('does not take the end of a reset connection for the result of a statement', async (t) => {
    const relay = await relayTo(Number(new URL(db.address.url).port))
    t.after(relay.close)
    let made: Promise<unknown> | undefined
    const socket = () => {
      const opening = connect(relay.port, '127.0.0.1')
      opening.on('error', () => void (made ??= sql`select 2 as two`.then(([row]) => row, troubleOf)))
      return opening
    }
    const sql = opened(t, { socket } as object, through(relay.port))
    await sql`select 1`
    await relay.cut()
    while (!made) await sleep(1)
    await sleep(20)
    await sql`select 1`
    assert.equal(await made, 'away')
  })

  test('does not take the last error of an ended session for that of a statement', async (t) => {
    const relay = await relayTo(Number(new URL(db.address.url).port))
    t.after(relay.close)
    const sql = opened(t, {}, through(relay.port))
    await sql`select 1`
    relay.cutAtError = true
    await assert.rejects(sql`select * from nothing where id = ${1}`, (error) => troubleOf(error) === 'away')
    assert.deepEqual([...(await sql`select 1 as one`)], [{ one: 1 }])
  })

  test('reports a proxy that closes each connection at once, and does not try it all the time', async (t) => {
    let accepted = 0
    const proxy = createServer((client) => void (accepted++, client.end()))
    proxy.listen(0, '127.0.0.1')
    await once(proxy, 'listening')
    t.after(() => void proxy.close())
    const sql = opened(t, { backoff: () => 0.2 }, through((proxy.address() as AddressInfo).port))
    for (let each = 1; each <= 3; each++) {
      await assert.rejects(sql`select 1`, (error) => troubleOf(error) === 'away')
      assert.equal(accepted, each)
    }
  })

  test('sends arrays of the types that control uses, with any text', async () => {
    const texts = ['', 'null', 'a,b', '{}', 'quote "', 'back \\ slash', ' spaces ', 'ü\n']
    const rows = await db.sql<Record<string, unknown>[]>`
      select * from unnest(${texts}::text[], ${[1, 2.5]}::float8[], ${[7, null]}::int[], ${[2 ** 40]}::bigint[],
        ${['0b7d31a2-6c5c-4d5a-9a0a-6b2c1f0f4a11']}::uuid[]) as item (t, f, i, b, u)`
    assert.deepEqual(
      rows.map(({ t }) => t),
      texts,
    )
    assert.deepEqual(
      rows.slice(0, 2).map(({ f, i, b, u }) => [f, i, b, u]),
      [
        [1, 7, '1099511627776', '0b7d31a2-6c5c-4d5a-9a0a-6b2c1f0f4a11'],
        [2.5, null, null, null],
      ],
    )
    assert.deepEqual([...(await db.sql`select 1 where 'a' = any(${[] as string[]}::text[])`)], [])
  })
})

/** A relay to Postgres that can reset a connection as soon as the client sends a statement on it. */
async function relayTo(port: number) {
  const clients = new Set<ReturnType<typeof connect>>()
  const relay = {
    port: 0,
    cutAtStatement: false,
    /** Closes the connection behind the first error of Postgres. */
    cutAtError: false,
    cut: async () => {
      const ends = [...clients].map(async (client) => await once(client.resetAndDestroy(), 'close'))
      await Promise.all(ends)
    },
    close: () => void server.close(),
  }
  const server = createServer((client) => {
    const postgres = connect(port, '127.0.0.1')
    let isReady = false
    clients.add(client)
    client.on('data', (bytes) => {
      if (isReady && relay.cutAtStatement) client.resetAndDestroy()
      else postgres.write(bytes)
    })
    postgres.on('data', (bytes) => {
      // ReadyForQuery, which ends the startup: Z, four bytes of length, and the state.
      isReady ||= bytes.at(-6) === 'Z'.charCodeAt(0)
      if (relay.cutAtError && bytes[0] === 'E'.charCodeAt(0)) client.end(bytes)
      else client.write(bytes)
    })
    client.on('close', () => {
      clients.delete(client)
      postgres.destroy()
    })
    postgres.on('close', () => client.destroy())
    for (const socket of [client, postgres]) socket.on('error', () => undefined)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  relay.port = (server.address() as AddressInfo).port
  return relay
}
